"""Pictures of what a run found; reads run folders only."""
