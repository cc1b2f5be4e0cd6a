"""Being woken."""

from __future__ import annotations

import pytest

from stem.contracts.changes import Bury, Cancel, Park, Release, Replay, Report, Reschedule, Write
from stem.contracts.store import Store
from stem.tasks.status import Failure, Progress
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import SUCCESS, Bench, label, publish, seconds
from stem.testing.contracts.ear import Ear

__all__ = ["NoticeContract"]

BACK: tuple[Write, ...] = (Release(seconds(5)), Reschedule(0, Failure("E", "m")), Park("unknown", "r", seconds(9)))


class NoticeContract(Contract):
    """`Store.listen` and `Notice`."""

    @pytest.mark.parametrize("delay", [0, seconds(60)])
    async def test_a_publish_tells_of_its_queue_also_when_it_is_due_later(self, bench: Bench, delay: int) -> None:
        with Ear(bench.store) as ear:
            await bench.put(queue="mail", delay=delay)
            await ear.hears_of_queue("mail")

    @pytest.mark.parametrize("back", BACK, ids=label)
    async def test_a_message_that_goes_back_tells_of_its_queue(self, bench: Bench, back: Write) -> None:
        delivery = await bench.running(queue="mail")
        with Ear(bench.store) as ear:
            await bench.apply(back, fence=delivery.fence)
            await ear.hears_of_queue("mail")

    async def test_a_replay_tells_of_its_queue(self, bench: Bench) -> None:
        task_id = await bench.put(queue="mail")
        await bench.apply(Cancel(task_id))
        with Ear(bench.store) as ear:
            await bench.apply(Replay(task_id))
            await ear.hears_of_queue("mail")

    @pytest.mark.parametrize("write", [SUCCESS, Bury("crashed"), Report(Progress(1, 0.5))], ids=label)
    async def test_a_task_that_became_terminal_or_made_progress_is_told_of(self, bench: Bench, write: Write) -> None:
        delivery = await bench.running()
        with Ear(bench.store) as ear:
            await bench.apply(write, fence=delivery.fence)
            await ear.hears_of_task(delivery.fence.task_id)

    async def test_a_cancelled_task_is_told_of(self, bench: Bench) -> None:
        task_id = await bench.put()
        with Ear(bench.store) as ear:
            await bench.apply(Cancel(task_id))
            await ear.hears_of_task(task_id)

    async def test_a_follow_up_tells_of_its_queue(self, bench: Bench) -> None:
        delivery = await bench.running()
        with Ear(bench.store) as ear:
            await bench.apply(SUCCESS, publish(queue="mail"), fence=delivery.fence)
            await ear.hears_of_queue("mail")

    async def test_a_notice_comes_after_the_commit(self, bench: Bench) -> None:
        delivery = await bench.running()
        with Ear(bench.store) as ear:
            await bench.apply(SUCCESS, fence=delivery.fence)
            await ear.hears_of_task(delivery.fence.task_id)
            assert (await bench.record(delivery.fence.task_id)).state.is_terminal

    async def test_a_closed_subscription_hears_nothing_more(self, bench: Bench) -> None:
        with Ear(bench.store) as closed, Ear(bench.store) as open_:
            closed.close()
            closed.close()
            await bench.put()
            await open_.hears_of_queue("default")
            assert closed.notices == []

    async def test_another_handle_hears_soon(self, bench: Bench, other: Store) -> None:
        delivery = await bench.running()
        with Ear(other) as ear:
            await bench.put(queue="mail")
            await ear.hears_of_queue("mail")
            await bench.apply(SUCCESS, fence=delivery.fence)
            await ear.hears_of_task(delivery.fence.task_id)
