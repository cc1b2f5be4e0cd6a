from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError
from shop.orders import parse_orders, read_orders

ROW = {
    "order": "7",
    "placed_at": "2026-09-14T06:20:26Z",
    "customer": "Ada",
    "email": "ada@example.org",
    "city": "Bern",
    "country": "CH",
    "currency": "CHF",
    "card": "visa-4242",
    "sku": "TIN",
    "item": "Tin",
    "quantity": "2",
    "unit_price": "9.80",
}


def test_rows_of_one_number_are_one_order() -> None:
    (order,) = parse_orders([ROW, {**ROW, "sku": "POT", "quantity": "1", "unit_price": "64.00"}])
    assert [item.sku for item in order.items] == ["TIN", "POT"]
    assert order.total == Decimal("83.60")


def test_a_row_that_is_no_order_is_refused() -> None:
    with pytest.raises(ValidationError, match="quantity"):
        parse_orders([{**ROW, "quantity": "0"}])


def test_the_export_has_a_few_hundred_orders_each_with_its_own_number() -> None:
    orders = read_orders(Path(__file__).parent.parent / "orders.csv")
    assert len({order.number for order in orders}) == len(orders) == 324
