"""Evolve images that fool image classifiers."""
__version__ = "0.1.0"
