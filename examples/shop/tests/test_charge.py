"""The tasks through the memory engine: the same program as with workers and a file, in one process."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from produce import settle
from shop._stem import definitions as tasks
from shop._stem.registry import registry
from shop.gateway import CardRefused, Gateway, GatewayDown
from shop.models import Order, Payment
from shop.orders import read_orders
from shop.outcome import Charged, Day, Refused, problems

from stem import Stem

ORDERS = read_orders(Path(__file__).parent.parent / "orders.csv")
REFUSED = next(order for order in ORDERS if order.card == "visa-0002")


@pytest.fixture
async def stem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stem]:
    monkeypatch.setenv("SHOP_INVOICES", str(tmp_path))
    async with Stem("memory://") as client, client.worker(registry, queues=("billing", "documents")):
        yield client


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def outcomes(order: Order, attempts: int) -> list[Payment | type[Exception]]:
    """What the gateway does at each attempt."""
    found: list[Payment | type[Exception]] = []
    for attempt in range(attempts):
        try:
            found.append(await Gateway(slowest=0.01).charge(order, attempt=attempt))
        except (CardRefused, GatewayDown) as error:
            found.append(type(error))
    return found


async def test_the_gateway_gives_one_charge_one_reference_however_often_it_is_asked() -> None:
    payments = [found for found in await outcomes(ORDERS[1], 6) if isinstance(found, Payment)]
    assert len(payments) > 1
    assert len({payment.reference for payment in payments}) == 1


async def test_a_charge_is_followed_by_its_invoice(stem: Stem, tmp_path: Path) -> None:
    order = ORDERS[1]
    outcome = await settle(stem, order, await tasks.charge.enqueue(stem, order))
    assert isinstance(outcome, Charged)
    assert outcome.receipt.payment.amount == order.total
    assert names(tmp_path) == [f"{order.number}.html", f"{order.number}.txt"]


async def test_a_gateway_that_does_not_answer_is_asked_again(stem: Stem) -> None:
    order = [order for order in ORDERS[:30] if await outcomes(order, 1) == [GatewayDown]][0]  # noqa: RUF015 - async
    outcome = await settle(stem, order, await tasks.charge.enqueue(stem, order))
    assert isinstance(outcome, Charged)
    assert outcome.receipt.attempts > 1


async def test_a_refused_card_is_refused_for_good(stem: Stem) -> None:
    outcome = await settle(stem, REFUSED, await tasks.charge.enqueue(stem, REFUSED))
    assert isinstance(outcome, Refused)
    assert outcome.reason == f"order {REFUSED.number}: visa-0002 declined by the bank"


async def test_a_day_with_a_missing_invoice_and_a_lost_order_is_not_a_good_day(stem: Stem, tmp_path: Path) -> None:
    order, lost = ORDERS[1], ORDERS[2]
    outcome = await settle(stem, order, await tasks.charge.enqueue(stem, order))
    assert isinstance(outcome, Charged)
    (tmp_path / f"{order.number}.txt").unlink()
    assert problems(Day(orders=[order, lost], charged=[outcome], refused=[]), tmp_path) == [
        f"order {order.number} has no {order.number}.txt among the invoices",
        f"order {lost.number} ended 0 times",
        "no charge was repeated, although the gateway fails sometimes",
    ]
