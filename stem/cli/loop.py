"""The event loop that a worker process runs on."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Coroutine
from typing import Any, Final, cast

import click

from stem.errors import ConfigError

__all__ = ["loop_option", "run_on"]

_LOOPS: Final = ("auto", "asyncio", "uvloop")

loop_option = click.option(
    "--loop",
    type=click.Choice(_LOOPS),
    default="auto",
    show_default=True,
    help="The event loop; auto takes uvloop where it is installed.",
)


def run_on(loop: str, main: Coroutine[Any, Any, None]) -> None:
    """Run it to its end on this loop. Raises `ConfigError` where uvloop is asked for and not installed."""
    try:
        factory = _factory(loop)
    except ConfigError:
        main.close()
        raise
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main)


def _factory(loop: str) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the loop; `None` for the one of the standard library."""
    if loop == "asyncio":
        return None
    try:
        made: object = importlib.import_module("uvloop").new_event_loop
    except ModuleNotFoundError:
        if loop == "auto":
            return None
        raise ConfigError(
            expected="the event loop that --loop names",
            found="no module 'uvloop'",
            do="Install it: pip install 'stem-jobs[uvloop]'",
        ) from None
    return cast("Callable[[], asyncio.AbstractEventLoop]", made)
