"""Emitters: what proposes the children of a generation."""
