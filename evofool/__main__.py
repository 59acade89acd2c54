"""``python -m evofool``."""

from .cli.app import main

main()
