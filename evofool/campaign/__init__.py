"""Campaigns: their folder, their sittings, their figures."""
