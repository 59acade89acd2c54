"""Direct genomes: the pixels themselves, and how they vary."""
