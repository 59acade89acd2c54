"""Attacks on real images: change a few pixels so that a target changes its mind."""
