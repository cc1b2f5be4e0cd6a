from __future__ import annotations

from decimal import Decimal

from stem import TaskContext, task, upcast

from . import heavy
from ._stem import definitions as defs
from .models import ChargeOrder, Mail, OldOrder, Receipt
from .state import Pools


@task(name="billing.charge", version=2, queue="billing")
async def charge(ctx: TaskContext, order: ChargeOrder) -> Receipt:
    """Charge a customer once."""
    receipt = Receipt(charge_id=f"ch_{order.order_id}", paid=heavy.LOADED)
    await defs.send_receipt.enqueue(ctx, receipt)
    return receipt


@upcast(charge, from_version=1)
def charge_from_1(order: OldOrder) -> ChargeOrder:
    return ChargeOrder(order_id=order.order_id, amount=Decimal(order.cents) / 100)


@task
async def send_receipt(ctx: TaskContext, receipt: Receipt, *, locale: str = "en", copies: int = 1) -> Mail:
    """Mail the receipt.

    Args:
        locale: BCP-47 tag.
    """
    return Mail(message_id=f"{receipt.charge_id}-{ctx.attempt}-{locale}-{copies}")


@task
async def count(text: str, *, words: bool = False) -> int:
    return len(text.split() if words else text)


@task
def render(receipt: Receipt) -> bytes:
    return receipt.charge_id.encode()


@task
def archive(ctx: TaskContext[Pools], receipt: Receipt, copies: int = 1) -> None:
    ctx.logger.info("%s x %d", receipt.charge_id, copies)
    ctx.state.names.append(receipt.charge_id)
