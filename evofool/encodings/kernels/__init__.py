"""Compiled loops over genomes, for the CPU: each does to one genome after the other what is easily said of one."""

import sys

FIRST = "numba" not in sys.modules
"""whether nobody in this process may have compiled anything before: what it compiles for is settled then"""
