"""Attacks that follow gradients: every pixel may change a little; one file for each family."""
