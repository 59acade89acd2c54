"""Experiments that explain why classifiers are fooled: one file each, all of one shape.

:mod:`~evofool.lab.experiment` is that shape, :mod:`~evofool.lab.registry` lists them, :mod:`~evofool.lab.start` begins
one, and :mod:`~evofool.lab.job` makes it a job: killed, resumed, inspected and repaired like all others.
"""
