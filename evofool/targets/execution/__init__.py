"""How forward passes are run: device, precision, memory, folding, tuning."""
