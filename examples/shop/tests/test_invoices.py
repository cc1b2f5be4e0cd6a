from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from shop.invoices import render_page, render_text
from shop.models import Item, Order, Payment
from shop.money import money
from shop.tasks import write_invoice

ORDER = Order(
    number=7,
    placed_at=datetime(2026, 9, 14, 6, 20, tzinfo=UTC),
    customer="Ada <b>Lovelace</b>",
    email="ada@example.org",
    city="Bern",
    country="CH",
    currency="CHF",
    card="visa-4242",
    items=[Item(sku="POT", name="Cast-iron teapot, 0.8 l", quantity=2, price=Decimal("64.00"))],
)
PAYMENT = Payment(reference="pay_1", amount=Decimal("128.00"), currency="CHF")


def test_a_text_invoice_is_72_columns_wide_and_names_the_total() -> None:
    lines = render_text(ORDER, PAYMENT).splitlines()
    assert max(map(len, lines)) == 72
    assert [line.split() for line in lines if line.startswith("Total")] == [["Total", "128.00", "CHF"]]


def test_what_a_customer_typed_is_text_on_the_page_and_no_markup() -> None:
    page = render_page(ORDER, PAYMENT)
    assert "Ada &lt;b&gt;Lovelace&lt;/b&gt;" in page
    assert "<b>" not in page


def test_amounts_have_the_decimals_of_their_currency() -> None:
    assert [money(Decimal("1204.5"), "EUR"), money(Decimal(3120), "JPY")] == ["1,204.50 EUR", "3,120 JPY"]


def test_a_handler_is_a_function_that_a_test_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_INVOICES", str(tmp_path / "invoices"))
    invoice = write_invoice(ORDER, PAYMENT, page=False)
    assert invoice.files == ["7.txt"]
    assert (tmp_path / "invoices" / "7.txt").read_text(encoding="utf-8") == render_text(ORDER, PAYMENT)
