"""Targets: the classifiers under test, where they come from and how they are run.

``protocols`` says what a target is to the rest of evofool. ``registry`` builds one from a name through the ``doors``,
and ``torch_target`` makes one of any torch module. ``execution`` is how torch's forward passes are run, and ``prepare``
puts these together for jobs.
"""
