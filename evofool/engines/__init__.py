"""Engines: where batches of genomes are decoded and scored, here or elsewhere, and how DEAP sees such a batch."""
