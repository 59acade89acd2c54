"""The public functions: what the command line has, for Python, with progress for whoever watches."""
