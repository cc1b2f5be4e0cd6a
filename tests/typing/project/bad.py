"""Wrong uses of the generated definitions: both type checkers reject every line that is marked, and no other."""

from decimal import Decimal

from shop._stem.definitions import archive, charge, count, send_receipt
from shop import handlers
from shop.models import ChargeOrder, Mail, Receipt
from shop.state import Pools
from stem import Stem, SyncStem, TaskContext, upcast
from stem.signals import TaskStartedEvent

order = ChargeOrder(order_id=1, amount=Decimal("9.99"))
receipt = Receipt(charge_id="x", paid=True)


async def main(client: Stem, sync: SyncStem) -> None:
    await charge.enqueue(client, {"order_id": 1})  # B01 a wrong type of an argument
    await charge.enqueue(client)  # B02 a missing argument
    await send_receipt.enqueue(client, receipt, locale=3)  # B03 a wrong type of a keyword
    await send_receipt.enqueue(client, receipt, lang="de")  # B04 an unknown keyword
    (await charge.enqueue_and_wait(client, order)).message_id  # B05 a wrong use of a result
    handle = await charge.enqueue(client, order)
    _mail: Mail = await handle.result()  # B06 a wrong type of a handle's result
    charge.options(queu="x")  # B11 an unknown option
    charge.options(delay=5)  # B12 a wrong type of an option
    charge.enqueue(client, order)  # B15 a coroutine that nobody awaits
    sync.enqueue(send_receipt.call(receipt)).result().paid  # B16 a wrong use of a blocking result
    count.call("text", True)  # B21 a keyword given by position
    archive.call(receipt, copies="2")  # B22 a wrong type in a call
    count.call(b"text")  # B23 bytes for text
    charge.options(broadcast="all")  # B30 a broadcast that is not yes or no
    (await (await handle.copies()).result())["worker-1"].message_id  # B31 a wrong use of a worker's result


@upcast(handlers.charge, from_version=1)  # B24 an upcast that gives another type
def charge_from_1(order: ChargeOrder) -> Receipt:
    return receipt


def hears_a_start(event: TaskStartedEvent) -> None: ...


class NoMiddleware:
    def on_enqueues(self, call: object) -> None: ...


async def with_a_state(ctx: TaskContext[Pools], client: Stem) -> None:
    ctx.state.name  # B25 a wrong use of the state
    Stem("memory://", lifespan=handlers.count)  # B26 a lifespan that opens nothing
    client.signals.task_succeeded.connect(hears_a_start)  # B27 a handler of another event
    client.signals.task_succeeded.connect(print, where=lambda event: event.attempts > 1)  # B28 a wrong use of an event
    Stem("memory://", middleware=[NoMiddleware()])  # B29 what is no middleware
