"""Duels: one image, one goal, k pixels each; scored together, independent of each other."""
