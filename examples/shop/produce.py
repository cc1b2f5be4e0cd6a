"""The producer: reads the orders, has them charged, waits for receipts and invoices, and prints what came of them.

    python produce.py [--url URL] [--invoices FOLDER] [--json FILE]

It needs running workers: `stem worker -q billing -q documents`, from this folder and on the same URL. It imports the
definitions and the models of the shop, none of the handlers. Exits with 1 when anything is off.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from shop._stem import definitions as tasks
from shop.models import Order, Receipt
from shop.orders import read_orders
from shop.outcome import Charged, Day, Refused, problems
from shop.report import print_report

from stem import Stem, StemError, TaskFailed, TaskHandle

HERE = Path(__file__).parent
PATIENCE = timedelta(seconds=30)


async def charge_all(stem: Stem, orders: Sequence[Order]) -> Day:
    """Enqueue a charge for each order and wait until every one of them has ended."""
    batch = await stem.enqueue_many([tasks.charge.call(order) for order in orders])
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("charging", total=len(orders))

        async def settled(order: Order, handle: TaskHandle[Receipt]) -> Charged | Refused:
            outcome = await settle(stem, order, handle)
            progress.advance(bar)
            return outcome

        outcomes = await asyncio.gather(*map(settled, orders, batch))
    return Day(
        orders=orders,
        charged=[outcome for outcome in outcomes if isinstance(outcome, Charged)],
        refused=[outcome for outcome in outcomes if isinstance(outcome, Refused)],
    )


async def settle(stem: Stem, order: Order, handle: TaskHandle[Receipt]) -> Charged | Refused:
    """Wait for one charge, and for the invoice that follows it."""
    try:
        receipt = await handle.result(timeout=PATIENCE)
    except TaskFailed as error:
        return Refused(order, handle.id, error.message)
    written = tasks.write_invoice.handle(stem, receipt.invoice_task)
    return Charged(order, receipt, await written.result(timeout=PATIENCE))


async def main(options: argparse.Namespace) -> int:
    """Everything, and the exit code."""
    began = time.perf_counter()
    orders = read_orders(HERE / "orders.csv")
    try:
        async with Stem(options.url) as stem:
            day = await charge_all(stem, orders)
    except StemError as error:
        print(f"{error}\nIs a worker running? stem worker -q billing -q documents", file=sys.stderr)
        return 1
    print_report(day, time.perf_counter() - began, Console())
    if options.json is not None:
        options.json.write_text(json.dumps(day.summary), encoding="utf-8")
    found = problems(day, options.invoices)
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    return 1 if found else 0


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Have the orders charged and print what came of them.")
    parser.add_argument("--url", help="the store; default: STEM_URL, else sqlite:///stem.db")
    parser.add_argument("--invoices", type=Path, default=Path(os.environ.get("SHOP_INVOICES", "invoices")))
    parser.add_argument("--json", type=Path, help="write the numbers into this file too")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(parse(sys.argv[1:]))))
