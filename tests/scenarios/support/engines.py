"""On which engines a scenario runs: the values of its parameter `engine`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest
from _pytest.mark.structures import ParameterSet

__all__ = ["EVERYWHERE", "SERVERS", "SHARED", "on_servers"]


def on_servers(*others: object, called: str | None = None) -> Iterator[ParameterSet]:
    """The parameters of a scenario, of which the engine is the first, for each engine that is a server."""
    for name in ("redis", "postgres"):
        yield pytest.param(name, *others, marks=pytest.mark.server, id=f"{called}, {name}" if called else None)


SERVERS: Final = [*on_servers()]
SHARED = ["sqlite", *SERVERS]
"""Where several processes meet."""
EVERYWHERE = ["memory", *SHARED]
