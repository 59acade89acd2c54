"""``python -m evofool``."""

from .cli import main

main()
