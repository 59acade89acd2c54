"""How loops are compiled for the CPU and spread over its threads, and those over pictures."""

import sys

FIRST = "numba" not in sys.modules
"""whether nobody in this process may have compiled anything before: what it compiles for is settled then"""
