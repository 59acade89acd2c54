"""CPPN genomes: graphs, how they vary and how they are rendered."""
