"""Doors: where targets come from, one file each.

To add a door, write a module like ``torchvision`` with the names of :class:`~.base.Door`, and list it in
``registry.DOORS``. A door to torch modules returns a :class:`~evofool.targets.torch_target.TorchTarget`. Any other
returns a class of its own that satisfies :class:`~evofool.targets.protocols.Target`; ``tests/targets/test_contract.py``
says what that is. What takes long to import is imported inside functions.
"""
