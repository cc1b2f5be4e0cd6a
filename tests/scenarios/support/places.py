"""Where stores are that nobody has used yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

__all__ = ["Fresh"]

Fresh: TypeAlias = Callable[[], tuple[str, ...]]
"""Gives URLs of empty stores: where the messages are, and where the results are if that is another place.

On Redis it is the same server each time, and the namespace has to be a new one.
"""
