"""What an adapter needs of the run that it is part of. Standard library only: every environment imports it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from importlib import import_module
from importlib.util import find_spec
from typing import TypeVar, cast

__all__ = ["URL", "run", "url"]

T = TypeVar("T")
URL = "PEERS_URL"
"""The environment variable with the URL of an empty store."""


def url() -> str:
    """The URL of the store to measure on."""
    return os.environ[URL]


def run(main: Coroutine[object, object, T]) -> T:
    """Run it, on uvloop where that is installed."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(main)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if find_spec("uvloop") is None:
        return None
    return cast("Callable[[], asyncio.AbstractEventLoop]", import_module("uvloop").new_event_loop)
