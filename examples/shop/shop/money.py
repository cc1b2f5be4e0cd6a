"""Amounts as people write them."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

__all__ = ["money"]

_WITHOUT_CENTS: Final = frozenset({"JPY", "KRW"})


def money(amount: Decimal, currency: str) -> str:
    """The amount with its currency and that currency's decimals: `1,204.50 EUR`, `3,120 JPY`."""
    return f"{amount:,.{0 if currency in _WITHOUT_CENTS else 2}f} {currency}"
