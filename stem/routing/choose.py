"""Which rules an application has: those that it was given, those of the file that it names, or none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from stem.routing.router import Router
from stem.routing.rules import Routing

__all__ = ["ROUTING", "choose_router"]

ROUTING: Final = "STEM_ROUTING"
"""The environment variable with the path of a file of rules."""


def choose_router(given: Routing | Path | str | None, environment: Mapping[str, str]) -> Router | None:
    """The router of what was passed, else of the file that STEM_ROUTING names. Raises what `read_routing` raises."""
    found = given if given is not None else environment.get(ROUTING) or None
    if found is None:
        return None
    if isinstance(found, Routing):
        return Router(found)
    from stem.routing.file import read_routing

    return Router(read_routing(Path(found)))
