"""Doors: where targets come from, one file each.

To add a door, write a module like ``torchvision`` with the names of :class:`~.base.Door`, and add it to
``registry.DOORS``: that is the one line outside the module. A door to torch modules returns a
:class:`~evofool.targets.torch_target.TorchTarget`. Any other returns a class of its own that satisfies
:class:`~evofool.targets.protocols.Target`; ``tests/targets/test_contract.py`` says what that is. What takes long to
import is imported inside functions.

A door that knows its targets before they are loaded is a :class:`~.base.Catalogue` as well. Its ``card()`` is called
without building the target. It must know the class names and the image shape, ``mean`` and ``std``
(which :meth:`TorchTarget.from_card` normalises by), and ``resize``, by which pictures of other sizes are fitted.
``weights`` is empty where the user has to bring a file. ``load()`` returns the card with the target.
"""
