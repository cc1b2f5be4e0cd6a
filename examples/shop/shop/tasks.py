"""The handlers. Only workers import this module; producers use `shop._stem.definitions`."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from shop._stem import definitions as tasks
from shop.gateway import CardRefused, Gateway
from shop.invoices import render_page, render_text
from shop.models import Invoice, Order, Payment, Receipt
from stem import Retry, TaskContext, task


@task(
    queue="billing",
    max_retries=6,
    retry=Retry(initial=timedelta(milliseconds=300), max_delay=timedelta(seconds=2), give_up_on=(CardRefused,)),
)
async def charge(ctx: TaskContext, order: Order) -> Receipt:
    """Charge an order, and have its invoice written by what follows.

    A gateway that does not answer is asked again, with longer and longer pauses; a refused card is not, and the task
    goes to the dead letters. The invoice is enqueued by the same commit that records the receipt: both or neither.
    """
    if ctx.attempt:
        ctx.logger.info("order %d: attempt %d", order.number, ctx.attempt + 1)
    payment = await Gateway().charge(order, attempt=ctx.attempt)
    invoice_task = ctx.follow_up(tasks.write_invoice.call(order, payment))
    return Receipt(order=order.number, payment=payment, attempts=ctx.attempt + 1, invoice_task=invoice_task)


@task(queue="documents")
def write_invoice(order: Order, payment: Payment, *, page: bool = True) -> Invoice:
    """Write the invoice as text, and as a page if wanted, into the folder SHOP_INVOICES.

    Runs in a thread, because files block. Written twice, after a crash, it is the same invoice.
    """
    folder = Path(os.environ.get("SHOP_INVOICES", "invoices"))
    folder.mkdir(parents=True, exist_ok=True)
    texts = {f"{order.number}.txt": render_text(order, payment)}
    if page:
        texts[f"{order.number}.html"] = render_page(order, payment)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return Invoice(order=order.number, files=list(texts))
