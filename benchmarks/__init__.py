"""Measurements that anyone can repeat: ``python -m benchmarks NAME``; results land in ``benchmarks/results``."""

from evofool.targets.execution.process import tune_process

tune_process()  # as the command line does, before anything is compiled
