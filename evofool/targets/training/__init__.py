"""The training of the embedded networks: data, recipes and the trainer."""
