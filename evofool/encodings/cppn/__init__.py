"""CPPN genomes: graphs, their variation and their pictures."""
