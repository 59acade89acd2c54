"""Measurements that anyone can repeat: ``python -m benchmarks NAME``; results land in ``benchmarks/results``."""
