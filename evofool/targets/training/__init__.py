"""The training of networks: one trainer, and the data and recipes of the embedded networks."""
