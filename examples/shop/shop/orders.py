"""The web shop's export: one row for each item, the rows of an order together."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path

from shop.models import Order

__all__ = ["parse_orders", "read_orders"]


def read_orders(path: Path) -> list[Order]:
    """The orders of a CSV file, in its order. Raises `OSError`, and pydantic's error for a row that is no order."""
    with path.open(newline="", encoding="utf-8") as file:
        return parse_orders(csv.DictReader(file))


def parse_orders(rows: Iterable[Mapping[str, str]]) -> list[Order]:
    """One order for each run of rows with the same number; pydantic reads the numbers and times."""
    return [_order(list(lines)) for _, lines in groupby(rows, key=lambda row: row["order"])]


def _order(rows: list[Mapping[str, str]]) -> Order:
    items = [
        {"sku": row["sku"], "name": row["item"], "quantity": row["quantity"], "price": row["unit_price"]}
        for row in rows
    ]
    return Order.model_validate({**rows[0], "number": rows[0]["order"], "items": items})
