"""Where batches of genomes are decoded and scored."""
