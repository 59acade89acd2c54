"""An engine whose workers are actors of a Ray cluster. Nothing here is imported unless a job asks for it."""
