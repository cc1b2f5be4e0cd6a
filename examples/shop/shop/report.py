"""The tables at the end: charges by currency, attempts, what was refused, and the one line that counts."""

from __future__ import annotations

from decimal import Decimal

from rich.console import Console
from rich.table import Table

from shop.money import money
from shop.outcome import Day

__all__ = ["print_report"]

_BAR = 40


def print_report(day: Day, seconds: float, console: Console) -> None:
    """Print the day. `seconds` is how long it took, from the first order read to the last invoice written."""
    for table in (_currencies(day), _attempts(day), _refusals(day)):
        console.print(table)
        console.print()
    invoices = sum(len(charged.invoice.files) for charged in day.charged)
    console.print(
        f"{len(day.charged)} charged · {day.retried} retried · {len(day.refused)} refused"
        f" · {invoices} invoice files · {seconds:.1f} s",
        style="bold",
        highlight=False,
    )


def _currencies(day: Day) -> Table:
    table = _table("Charged by currency", "currency", ">orders", ">charged", ">refused", ">total")
    for currency in sorted({order.currency for order in day.orders}):
        table.add_row(
            currency,
            str(sum(order.currency == currency for order in day.orders)),
            str(sum(charged.order.currency == currency for charged in day.charged)),
            str(sum(refused.order.currency == currency for refused in day.refused)),
            money(day.totals.get(currency, Decimal(0)), currency),
        )
    return table


def _attempts(day: Day) -> Table:
    table = _table("Attempts that a charge took", ">attempts", ">orders", "")
    for attempts, count in day.attempts.items():
        table.add_row(str(attempts), str(count), "█" * max(1, round(_BAR * count / len(day.charged))))
    return table


def _refusals(day: Day) -> Table:
    table = _table("Refused for good, now in the dead letters", "order", "customer", ">amount", "why")
    for refused in sorted(day.refused, key=lambda refused: refused.order.number):
        order = refused.order
        table.add_row(str(order.number), order.customer, money(order.total, order.currency), refused.reason)
    return table


def _table(title: str, *columns: str) -> Table:
    """A plain table; a column whose name begins with `>` is aligned to the right."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column.lstrip(">"), justify="right" if column.startswith(">") else "left", style="")
    return table
