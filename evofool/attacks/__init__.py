"""Attacks on real images: change a few pixels so that a target changes its mind.

:mod:`~evofool.attacks.plan` and :mod:`~evofool.attacks.tasks` say which attempts a campaign has, a search of
:mod:`~evofool.attacks.searches` proposes pixel edits for each of them, and :mod:`~evofool.attacks.campaign` scores the
edits of many attempts together and gives an :mod:`~evofool.attacks.outcome` for each.
"""
