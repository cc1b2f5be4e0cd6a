"""An invoice as plain text and as a page. Pure: the same order and payment give the same bytes."""

from __future__ import annotations

from html import escape
from typing import Final

from shop.models import Order, Payment
from shop.money import money

__all__ = ["render_page", "render_text"]

_WIDTH: Final = 72
_STYLE: Final = (
    "body{font:16px/1.5 Georgia,serif;max-width:42rem;margin:3rem auto;color:#222}"
    "table{width:100%;border-collapse:collapse}td,th{padding:.3rem 0;border-bottom:1px solid #ccc;text-align:left}"
    "td:last-child,th:last-child{text-align:right}tfoot td{font-weight:bold;border:0}"
)


def render_text(order: Order, payment: Payment) -> str:
    """The invoice for a mail or a terminal, 72 columns wide."""
    rule = "-" * _WIDTH
    lines = [_line(f"{item.quantity} x {item.name}", money(item.amount, order.currency)) for item in order.items]
    return "\n".join(
        [
            _line("BLUE KETTLE", f"Invoice {order.number}"),
            f"{order.placed_at:%d %B %Y}",
            "",
            order.customer,
            f"{order.city}, {order.country}",
            order.email,
            rule,
            *lines,
            rule,
            _line("Total", money(order.total, order.currency)),
            "",
            f"Paid with {order.card}, reference {payment.reference}. Thank you!",
            "",
        ]
    )


def render_page(order: Order, payment: Payment) -> str:
    """The invoice as one HTML page without anything to load; whatever a customer typed is escaped."""
    rows = "\n".join(
        f"<tr><td>{item.quantity}</td><td>{escape(item.name)}</td><td>{money(item.amount, order.currency)}</td></tr>"
        for item in order.items
    )
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Invoice {order.number}</title><style>{_STYLE}</style></head>
<body>
<h1>Blue Kettle</h1>
<p>Invoice {order.number}, {order.placed_at:%d %B %Y}</p>
<p>{escape(order.customer)}<br>{escape(order.city)}, {escape(order.country)}<br>{escape(order.email)}</p>
<table>
<thead><tr><th></th><th>Item</th><th>Amount</th></tr></thead>
<tbody>
{rows}
</tbody>
<tfoot><tr><td></td><td>Total</td><td>{money(order.total, order.currency)}</td></tr></tfoot>
</table>
<p>Paid with {escape(order.card)}, reference {escape(payment.reference)}. Thank you!</p>
</body>
</html>
"""


def _line(left: str, right: str) -> str:
    """Two texts at both ends of a line; a long left one is cut."""
    room = _WIDTH - len(right) - 1
    return f"{left[:room]:<{room}} {right}"
