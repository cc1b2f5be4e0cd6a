"""What a process is to do, on which stores, and where it is to die."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from stem.contracts.adapter import StoreOptions
from stem.contracts.store import Store
from stem.stores.open import open_store
from stem.stores.split import split
from stem.testing.clock import ManualClock

__all__ = ["WITHIN", "Order", "Spot", "joined", "open_all"]


WITHIN: Final = "within a call"


@dataclass(frozen=True, slots=True)
class Spot:
    """Where to die: the `nth` call of a method of one of the stores, before or after it.

    The method `WITHIN` is none of a store: before the `nth` statement that is not the first of its call.
    """

    store: int
    method: str
    nth: int
    fault: str


@dataclass(frozen=True, slots=True)
class Order:
    """What a process is to do. Two URLs are a split store: messages on the first, results on the second."""

    flow: str
    urls: tuple[str, ...]
    namespace: str
    spot: Spot | None = None


async def open_all(urls: Sequence[str], namespace: str, clock: ManualClock) -> list[Store]:
    """The stores of an order."""
    options = StoreOptions(clock=clock, namespace=namespace)
    return [await open_store(url, options) for url in urls]


def joined(stores: Sequence[Store]) -> Store:
    """The one store that they are together."""
    return stores[0] if len(stores) == 1 else split(*stores)
