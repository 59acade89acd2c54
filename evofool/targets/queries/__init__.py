"""Queries as money: a target that counts what it is asked, asks nothing twice and stops at a budget."""
