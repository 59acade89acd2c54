"""Attacks with the interfaces of other libraries: torchattacks, foolbox, ART. Each is a thin way to one function."""
