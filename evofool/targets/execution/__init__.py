"""How torch runs a target's forward passes: device, precision, memory format, folding, tuning."""
