"""What came of the orders: values made of typed results, the sums over them, and what would be wrong."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from shop.models import Invoice, Order, Receipt

__all__ = ["Charged", "Day", "Refused", "problems"]


@dataclass(frozen=True, slots=True)
class Charged:
    """An order that was paid, with the invoice that followed."""

    order: Order
    receipt: Receipt
    invoice: Invoice


@dataclass(frozen=True, slots=True)
class Refused:
    """An order whose card was refused for good: task `task_id` is in the dead letters."""

    order: Order
    task_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """All orders and what came of them."""

    orders: Sequence[Order]
    charged: Sequence[Charged]
    refused: Sequence[Refused]

    @property
    def outcomes(self) -> Sequence[Charged | Refused]:
        """Both kinds."""
        return [*self.charged, *self.refused]

    @property
    def attempts(self) -> Mapping[int, int]:
        """How many charges took one attempt, two, and so on."""
        return dict(sorted(Counter(charged.receipt.attempts for charged in self.charged).items()))

    @property
    def retried(self) -> int:
        """How many orders were paid at a later attempt than the first."""
        return sum(count for attempts, count in self.attempts.items() if attempts > 1)

    @property
    def totals(self) -> Mapping[str, Decimal]:
        """What was charged in each currency."""
        sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        for charged in self.charged:
            sums[charged.receipt.payment.currency] += charged.receipt.payment.amount
        return dict(sorted(sums.items()))

    @property
    def summary(self) -> Mapping[str, object]:
        """The numbers of the day, fit for JSON."""
        return {
            "orders": len(self.orders),
            "charged": len(self.charged),
            "retried": self.retried,
            "refused": sorted(refused.task_id for refused in self.refused),
            "invoices": sum(len(charged.invoice.files) for charged in self.charged),
            "totals": {currency: str(amount) for currency, amount in self.totals.items()},
        }


def problems(day: Day, invoices: Path) -> list[str]:
    """Everything that is off, in words; an empty list for a good day. Looks for the invoices in their folder."""
    found = [
        f"order {charged.order.number} costs {charged.order.total}, but {charged.receipt.payment.amount} was charged"
        for charged in day.charged
        if charged.order.total != charged.receipt.payment.amount or charged.order.number != charged.receipt.order
    ]
    found += [
        f"order {charged.order.number} has no {name} among the invoices"
        for charged in day.charged
        for name in charged.invoice.files
        if not (invoices / name).is_file()
    ]
    ended = Counter(outcome.order.number for outcome in day.outcomes)
    found += [
        f"order {order.number} ended {ended[order.number]} times" for order in day.orders if ended[order.number] != 1
    ]
    return found + ([] if day.retried else ["no charge was repeated, although the gateway fails sometimes"])
