"""What tests of an application use: a worker that works when it is told to, and assertions that explain themselves."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from pydantic import BaseModel

from stem import Registry, Retry, TaskContext, definition, task
from stem.tasks.state import TaskState
from stem.testing import Jobs


class Order(BaseModel):
    number: int
    note: str = ""


@task(name="shop.charge", queue="billing")
async def charge(ctx: TaskContext, order: Order) -> str:
    await ctx.enqueue(definition(receipt).options(queue="mail").call(order.number))
    return f"paid {order.number}"


@task(name="shop.receipt")
def receipt(number: int, copies: int = 1) -> str:
    return f"receipt {number} x {copies}"


@task(name="shop.flaky", max_retries=2, retry=Retry(initial=timedelta(minutes=1), jitter=0))
async def flaky(ctx: TaskContext, failures: int) -> int:
    if ctx.attempt < failures:
        raise ConnectionError("the bank is down")
    return ctx.attempt


CHARGE, RECEIPT, FLAKY = definition(charge), definition(receipt), definition(flaky)


@pytest.fixture
async def jobs() -> AsyncIterator[Jobs]:
    async with Jobs(Registry.of(charge, receipt, flaky)) as jobs:
        yield jobs


def told(error: pytest.ExceptionInfo[AssertionError]) -> str:
    return re.sub(r"\(\w+[^)]*\)", "(ID)", str(error.value))


async def test_nothing_runs_before_it_is_told_to(jobs: Jobs) -> None:
    handle = await RECEIPT.enqueue(jobs.stem, 1)
    assert (await handle.status()).state is TaskState.QUEUED


async def test_drain_runs_what_is_due_and_what_that_enqueues(jobs: Jobs) -> None:
    handle = await CHARGE.enqueue(jobs.stem, Order(number=7))
    assert [status.name for status in await jobs.drain()] == ["shop.charge", "shop.receipt"]
    assert await handle.result() == "paid 7"


async def test_drain_leaves_what_is_not_due_yet(jobs: Jobs) -> None:
    await RECEIPT.options(delay=timedelta(hours=1)).enqueue(jobs.stem, 1)
    assert await jobs.drain() == ()
    assert [status.name for status in await jobs.run_for(timedelta(hours=1))] == ["shop.receipt"]


async def test_retries_come_when_their_time_has_passed(jobs: Jobs) -> None:
    handle = await FLAKY.enqueue(jobs.stem, 2)
    assert await jobs.drain() == ()
    assert (await handle.status()).attempt == 1
    await jobs.run_for(timedelta(minutes=3))
    assert await handle.result() == 2


async def test_a_task_that_fails_for_good_fails_the_test_with_its_error(jobs: Jobs) -> None:
    await FLAKY.options(max_retries=0).enqueue(jobs.stem, 9)
    with pytest.raises(AssertionError, match="ConnectionError: the bank is down"):
        await jobs.drain()


async def test_a_failure_can_be_what_is_tested(jobs: Jobs) -> None:
    await FLAKY.options(max_retries=0).enqueue(jobs.stem, 9)
    assert [status.state for status in await jobs.drain(check=False)] == [TaskState.FAILED]


async def test_what_is_in_a_paused_queue_stays(jobs: Jobs) -> None:
    await jobs.stem.operate.pause("default")
    await RECEIPT.enqueue(jobs.stem, 1)
    assert await jobs.drain() == ()


async def test_a_task_without_a_handler_is_parked_and_stops_nobody(jobs: Jobs) -> None:
    handle = await jobs.stem.enqueue_named("shop.elsewhere", {})
    assert await jobs.drain() == ()
    assert (await handle.status()).state is TaskState.PARKED


async def test_what_is_enqueued_is_found_by_call_by_definition_and_by_name(jobs: Jobs) -> None:
    handle = await RECEIPT.enqueue(jobs.stem, 1, copies=2)
    for wanted in (RECEIPT.call(1, copies=2), RECEIPT, "shop.receipt"):
        assert (await jobs.assert_enqueued(wanted, queue="default")).id == handle.id
    assert [status.id for status in await jobs.enqueued()] == [handle.id]


async def test_arguments_that_differ_are_shown_line_by_line(jobs: Jobs) -> None:
    await CHARGE.enqueue(jobs.stem, Order(number=7, note="hi"))
    with pytest.raises(AssertionError) as error:
        await jobs.assert_enqueued(CHARGE.call(Order(number=8, note="hi")))
    assert told(error).splitlines() == [
        'shop.charge is not enqueued with {"note": "hi", "number": 8}',
        "of this name are enqueued: 1",
        '  shop.charge {"note": "hi", "number": 7} in queue billing, queued (ID)',
        '    -   "number": 7',
        '    +   "number": 8',
    ]


async def test_options_that_differ_are_shown(jobs: Jobs) -> None:
    await RECEIPT.enqueue(jobs.stem, 1)
    with pytest.raises(AssertionError) as error:
        await jobs.assert_enqueued(RECEIPT, queue="mail", priority=0)
    assert "    queue is 'default'" in told(error)
    assert "priority is" not in told(error)


async def test_what_else_is_enqueued_is_named(jobs: Jobs) -> None:
    await RECEIPT.enqueue(jobs.stem, 1)
    with pytest.raises(AssertionError, match=r"enqueued are: shop\.receipt"):
        await jobs.assert_enqueued(CHARGE)


async def test_that_something_is_not_enqueued(jobs: Jobs) -> None:
    await jobs.assert_not_enqueued(RECEIPT)
    await RECEIPT.enqueue(jobs.stem, 1)
    await jobs.assert_not_enqueued(RECEIPT.call(2))
    with pytest.raises(AssertionError, match=r"shop\.receipt is enqueued"):
        await jobs.assert_not_enqueued("shop.receipt")


async def test_a_broadcast_is_enqueued_under_the_name_of_its_task_and_runs() -> None:
    call = RECEIPT.options(broadcast=True, queue="caches").call(7)
    async with Jobs(Registry.of(receipt)) as jobs:
        handle = await jobs.stem.enqueue(call)
        assert (await jobs.assert_enqueued(call, queue="caches")).id == handle.id
        assert [status.name for status in await jobs.drain()] == ["shop.receipt"]
        await jobs.assert_not_enqueued(call)
        assert list((await (await handle.copies()).result()).values()) == ["receipt 7 x 1"]
        await jobs.run_for(timedelta(seconds=5))
        assert (await handle.status()).state is TaskState.SUCCEEDED
