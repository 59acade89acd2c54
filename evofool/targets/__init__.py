"""Targets: the classifiers under test, where they come from and how they are run."""
