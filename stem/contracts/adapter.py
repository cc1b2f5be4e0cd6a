"""What an adapter package offers: `open_store`, and `migrate` where the engine has a schema.

An adapter is a folder `stem/adapters/<scheme>`, or a module that an outside package registers under the entry point
group `stem.adapters` with the URL scheme as its name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from stem.clock import Clock, SystemClock
from stem.contracts.retention import Retention
from stem.contracts.store import Store

__all__ = ["Adapter", "StoreOptions", "Warns"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreOptions:
    """What every engine is opened with. `namespace` keeps several installations on one server apart."""

    clock: Clock = field(default_factory=SystemClock)
    namespace: str = "stem"
    retention: Retention = field(default_factory=Retention)


@runtime_checkable
class Warns(Protocol):
    """What a store offers besides, where a server's settings decide what accepted work survives."""

    async def warnings(self) -> tuple[str, ...]:
        """What in the server's settings can lose accepted work, as sentences with the advice; empty when nothing is."""
        ...


class Adapter(Protocol):
    """The module-level functions of an adapter."""

    async def open_store(self, url: str, options: StoreOptions, /) -> Store:
        """Connect. An empty database gets the schema; an older or newer one raises `SchemaMismatch` where it must.

        Raises `ConfigError` for a URL that does not fit and `StoreUnavailable` when the engine cannot be reached.
        """
        ...

    async def migrate(self, url: str, options: StoreOptions, /) -> tuple[str, ...]:
        """Bring the schema to this version, under a lock; the names of the steps that were taken."""
        ...
