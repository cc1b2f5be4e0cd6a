"""Stands for a large library: must never be imported by a producer."""

LOADED = True
