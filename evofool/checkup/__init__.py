"""Whether a classifier was understood rightly: the usual mistakes, each with its evidence and what mends it."""
