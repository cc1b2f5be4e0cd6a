"""What the tests of the client enqueue, and the worker's part of its life in one word each."""

from __future__ import annotations

from stem.contracts.changes import Bury, Release, Report, Settle, Write
from stem.contracts.store import Delivery
from stem.tasks.definition import task_def
from stem.tasks.state import TaskEvent
from stem.tasks.status import Failure, Progress
from stem.testing.contracts.build import Bench

__all__ = ["BOOM", "bury", "charge", "expire", "release", "report", "settle_cancelled", "succeed"]

BOOM = Failure("ValueError", "no such card", "Traceback: ...")


@task_def("billing.charge", queue="default", description="Takes the money.")
def charge(order_id: int, note: str = "") -> str:
    raise NotImplementedError


async def succeed(bench: Bench, result: bytes | None = b'"paid"') -> str:
    """Run the next task to its good end; its id."""
    return await _end(bench, Settle(TaskEvent.SUCCEEDED, result))


async def bury(bench: Bench) -> str:
    """The next task fails for good; its id."""
    return await _end(bench, Bury("retries_used_up", BOOM))


async def expire(bench: Bench) -> str:
    """The next task is found too late; its id."""
    return await _end(bench, Settle(TaskEvent.EXPIRED))


async def settle_cancelled(bench: Bench) -> str:
    """The next task is ended on request; its id."""
    return await _end(bench, Settle(TaskEvent.CANCELLED, error=Failure("CancelledError", "asked to")))


async def release(bench: Bench, delivery: Delivery) -> None:
    """Give a delivery back."""
    await bench.apply(Release(), fence=delivery.fence)


async def report(bench: Bench, delivery: Delivery, sequence: int, done: float) -> None:
    """A progress report of a delivery."""
    await bench.apply(Report(Progress(sequence, done, 10.0)), fence=delivery.fence)


async def _end(bench: Bench, write: Write) -> str:
    delivery = await bench.delivery()
    await bench.apply(write, fence=delivery.fence)
    return delivery.fence.task_id
