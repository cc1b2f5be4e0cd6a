"""A card gateway that behaves like one: slow, sometimes down, and sometimes it says no for good.

Its luck is seeded by order and attempt, so every run of the example has the same retries.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shop.models import Order, Payment

__all__ = ["REFUSALS", "CardRefused", "Gateway", "GatewayDown"]

REFUSALS: Final[Mapping[str, str]] = {"0002": "declined by the bank", "9995": "not covered", "0069": "card expired"}


class GatewayDown(Exception):
    """No answer in time: the same charge may succeed a moment later."""


class CardRefused(Exception):
    """The bank said no: repeating the charge changes nothing."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A connection to the gateway. `failing` is the share of calls that get no answer, `slowest` is in seconds."""

    seed: int = 7
    failing: float = 0.18
    slowest: float = 0.12

    async def charge(self, order: Order, *, attempt: int) -> Payment:
        """Charge the order once, however often it is asked: the order's number is the idempotency key.

        Raises `GatewayDown`, after which it may be asked again, and `CardRefused`, after which it should not.
        """
        luck = random.Random(f"{self.seed}/{order.number}/{attempt}")
        await asyncio.sleep(luck.uniform(0.01, self.slowest))
        if luck.random() < self.failing:
            raise GatewayDown(f"order {order.number}: no answer from the gateway")
        refusal = REFUSALS.get(order.card[-4:])
        if refusal is not None:
            raise CardRefused(f"order {order.number}: {order.card} {refusal}")
        return Payment(reference=self._reference(order), amount=order.total, currency=order.currency)

    def _reference(self, order: Order) -> str:
        return f"pay_{random.Random(f'{self.seed}/{order.number}').getrandbits(48):012x}"
