"""Loops that numba compiles for the CPU: over genomes, graphs and pictures."""
