"""Middleware that comes with Stem."""
