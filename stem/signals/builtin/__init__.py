"""Middleware that comes with Stem."""

from stem.signals.builtin.log import LogAttempts

__all__ = ["LogAttempts"]
