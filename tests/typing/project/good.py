"""Right uses of the generated definitions: both type checkers accept every line."""

from datetime import timedelta
from decimal import Decimal

from shop import handlers
from shop._stem.definitions import archive, charge, count, render, send_receipt
from shop._stem.registry import registry
from shop.models import ChargeOrder, Mail, Receipt
from shop.state import Pools, lifespan
from stem import Batch, Copies, Registry, Stem, SyncStem, SyncTaskHandle, TaskCall, TaskContext, TaskHandle, definition
from stem.signals import (
    Attempt,
    Connection,
    Instead,
    NextEnqueue,
    RetryLater,
    TaskFailedEvent,
    TaskStartedEvent,
)
from stem.tasks.status import Failure
from typing_extensions import assert_type

order = ChargeOrder(order_id=1, amount=Decimal("9.99"))
assert_type(registry, Registry)


async def main(client: Stem) -> None:
    handle = await charge.enqueue(client, order)
    assert_type(handle, TaskHandle[Receipt])
    assert_type(await handle.result(), Receipt)
    receipt = await charge.options(queue="vip", delay=timedelta(minutes=1)).enqueue_and_wait(client, order)
    assert_type(receipt, Receipt)
    await send_receipt.enqueue(client, receipt, locale="de")
    await send_receipt.enqueue(client, receipt=receipt, copies=2)
    assert_type(send_receipt.call(receipt, locale="de", copies=2), TaskCall[Mail])
    assert_type(await client.enqueue(charge.call(order)), TaskHandle[Receipt])
    assert_type(await client.enqueue_and_wait(charge.call(order)), Receipt)
    assert_type(await client.enqueue_many([charge.call(order)]), Batch[Receipt])
    assert_type(await (await client.enqueue_many([charge.call(order)])).result(), list[Receipt])
    assert_type(await count.enqueue_and_wait(client, "two words", words=True), int)
    assert_type(await render.enqueue_and_wait(client, receipt), bytes)
    assert_type(await archive.enqueue(client, receipt, 2), TaskHandle[None])
    assert_type(charge.handle(client, "id"), TaskHandle[Receipt])
    everywhere = await (await charge.options(broadcast=True).enqueue(client, order)).copies()
    assert_type(everywhere, Copies[Receipt])
    assert_type(everywhere["worker-1"], TaskHandle[Receipt])
    assert_type(await everywhere.result(), dict[str, Receipt])


async def from_handlers(client: Stem, receipt: Receipt) -> None:
    assert_type(await definition(handlers.send_receipt).enqueue_and_wait(client, receipt, copies=2), Mail)
    assert_type(await definition(handlers.charge).enqueue_and_wait(client, order), Receipt)
    assert_type(await definition(handlers.count).enqueue_and_wait(client, "text"), int)
    assert_type(await definition(handlers.render).enqueue_and_wait(client, receipt), bytes)


def view(client: SyncStem) -> None:
    assert_type(client.enqueue(charge.call(order)), SyncTaskHandle[Receipt])
    assert_type(client.enqueue(charge.call(order)).result(), Receipt)
    assert_type(client.enqueue_and_wait(count.call("text")), int)
    assert_type(client.enqueue(count.call("text")).copies().result(), dict[str, int])


async def inside_a_task(ctx: TaskContext) -> None:
    assert_type(await charge.enqueue(ctx, order), TaskHandle[Receipt])


async def with_a_state(ctx: TaskContext[Pools], bare: TaskContext) -> None:
    assert_type(ctx.state, Pools)
    assert_type(ctx.state.names, list[str])
    assert_type(bare.state, None)
    Stem("memory://", lifespan=lifespan)


class Tenants:
    async def on_enqueue(self, call: TaskCall[object], call_next: NextEnqueue) -> None:
        await call_next(call.with_headers({"tenant": "acme"}))

    async def on_error(self, attempt: Attempt, error: Exception) -> Instead | None:
        return RetryLater() if isinstance(error, OSError) else None


async def listening() -> None:
    stem = Stem("memory://", middleware=[Tenants()])

    @stem.signals.task_failed.connect(task="billing.*", where=lambda event: event.attempt > 0)
    async def failed(event: TaskFailedEvent) -> None:
        assert_type(event.error, Failure | None)

    assert_type(failed, Connection[TaskFailedEvent])
    with stem.signals.task_started.connect(lambda event: print(event.attempt)) as connection:
        assert_type(connection, Connection[TaskStartedEvent])
    SyncStem("memory://", middleware=[Tenants()]).signals.worker_ready.connect(print, once=True)
