"""Searches for pixel edits, one file each. :mod:`~evofool.attacks.searches.registry` says how to add one."""
