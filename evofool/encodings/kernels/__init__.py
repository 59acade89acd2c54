"""Compiled loops over genomes, for the CPU: each does to one genome after the other what is easily said of one."""
