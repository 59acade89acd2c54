"""Targets that are functions of arrays: what they take, and how they are called."""
