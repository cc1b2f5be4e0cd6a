"""What no handler and no store can make sense of is said once, and holds up nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from stem import Stem
from stem.errors import ResultExpired, TaskFailed
from stem.tasks.envelope import encode_envelope
from stem.tasks.handle import TaskHandle
from stem.tasks.state import TaskState
from stem.testing.contracts.build import Bench, make_envelope, publish
from tests.scenarios.support.engines import EVERYWHERE
from tests.scenarios.support.strange import BIG, ENDLESS, IMPATIENT, LATER, PLAIN, STEEP, strange
from tests.scenarios.support.waiting import eventually

pytestmark = pytest.mark.parametrize("engine", EVERYWHERE)


@pytest.fixture
async def stem(bench: Bench) -> AsyncIterator[Stem]:
    """A client whose worker has the strange tasks; time stands still for both."""
    stem = Stem("memory://", clock=bench.clock, wrap=lambda _: bench.store)
    async with stem, stem.worker(strange):
        yield stem


async def comes_to(state: TaskState, handle: TaskHandle[object]) -> None:
    async def holds() -> bool:
        return (await handle.status()).state is state

    await eventually(holds, within=30, what=f"{handle.id} {state.value}")


async def test_a_retry_at_the_end_of_time_waits_for_it_and_holds_up_nobody(stem: Stem) -> None:
    for definition in (ENDLESS, STEEP):
        handle = await definition.enqueue(stem)
        await comes_to(TaskState.RETRYING, handle)
        assert (await handle.status()).attempt == 1
    assert (await (await LATER.enqueue(stem)).status()).state is TaskState.QUEUED
    assert await PLAIN.enqueue_and_wait(stem) == "plain"


async def test_a_retry_in_the_past_comes_at_once(stem: Stem) -> None:
    assert await IMPATIENT.enqueue_and_wait(stem) == 2


async def test_what_cannot_be_read_is_a_dead_letter_at_once_with_the_reason(bench: Bench, stem: Stem) -> None:
    of_other_arguments = encode_envelope(make_envelope(name="strange.big", payload=b'{"size": "x"}'))
    for body in (b"", b"\xff\x00\xfe", b"{}", b"[1]\n{}", of_other_arguments):
        write = publish(name="strange.big")
        await bench.apply(write._replace(body=body))
        await comes_to(TaskState.FAILED, stem.handle(write.envelope.id))
        record = await bench.record(write.envelope.id)
        assert (record.bury_reason, record.deliveries, record.attempt) == ("undecodable", 1, 0)
    assert await PLAIN.enqueue_and_wait(stem) == "plain"


async def test_a_result_that_is_too_large_fails_its_task_and_says_so(bench: Bench, stem: Stem) -> None:
    with pytest.raises(TaskFailed, match="ResultRefused"):
        await BIG.enqueue_and_wait(stem, bench.store.capabilities.max_value)
    assert await BIG.enqueue_and_wait(stem, 500) == "x" * 500


async def test_a_result_that_was_kept_long_enough_is_said_to_have_expired(bench: Bench, stem: Stem) -> None:
    handle = await BIG.options(result_ttl=timedelta(seconds=90)).enqueue(stem, 1)
    assert await handle.result() == "x"
    bench.clock.advance(89)
    assert await handle.result() == "x"
    bench.clock.advance(2)
    with pytest.raises(ResultExpired):
        await handle.result()
