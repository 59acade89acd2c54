"""The training of the embedded networks."""
