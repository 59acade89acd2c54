"""Search strategies: each proposes batches of genomes and takes their scores."""
