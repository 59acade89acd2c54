"""How loops are compiled in this process. :mod:`.compiled` reads it once, when it is imported.

It is a file of its own because importing it takes no time, unlike numba.
"""

whole_vectors = False
"""Whether :mod:`.compiled` calls ``use_whole_vectors``; only a program that owns the process sets it."""
