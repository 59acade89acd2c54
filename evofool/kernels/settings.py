"""How loops are compiled in this process; to be set before :mod:`.compiled` is imported, which reads it."""

whole_vectors = False
"""Whether numba uses vectors of 512 bits; see :func:`.compiled.use_whole_vectors`. Only a program that owns the process
sets it: importing it takes no time, unlike numba."""
