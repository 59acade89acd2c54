"""Sweeps: many runs or campaigns that differ in their options, as one job with one table and one page."""
