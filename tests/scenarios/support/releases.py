"""Two releases of one program: in the newer one a task has another version, and there is a task more."""

from __future__ import annotations

from typing import Final

from stem import Registry, definition, task, upcast

__all__ = ["NEW", "OLD", "RECEIPT", "SHIP", "SHIP_BEFORE", "WEIGH"]


@task(name="releases.ship")
async def ship_before(kilos: int) -> str:
    """As the older release knows it."""
    return f"old {kilos * 1000} g"


@task(name="releases.ship", version=2)
async def ship(grams: int, *, express: bool = False) -> str:
    """As the newer release knows it: in another unit, and with an option more."""
    return f"new {grams} g{' express' if express else ''}"


@upcast(ship, from_version=1)
def ship_from_1(kilos: int) -> int:
    """What an older producer meant."""
    return kilos * 1000


@task(name="releases.weigh")
async def weigh(grams: int) -> int:
    """As the older release knows it."""
    return grams


@task(name="releases.receipt")
async def receipt() -> str:
    """Only the newer release has it."""
    return "receipt"


SHIP: Final = definition(ship)
SHIP_BEFORE: Final = definition(ship_before)
WEIGH: Final = definition(weigh)
RECEIPT: Final = definition(receipt)
OLD: Final = Registry.of(ship_before, weigh)
NEW: Final = Registry.of(ship, weigh, receipt)
