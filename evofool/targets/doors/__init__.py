"""Doors: where a target comes from, one file each."""
