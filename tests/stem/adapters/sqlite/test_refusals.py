"""What becomes of messages that some registry could not run, in which line they stand, and when."""

from __future__ import annotations

import sqlite3
from typing import Final

import pytest

from stem.adapters.sqlite.refusals import MOST_JUDGED
from stem.contracts.changes import Change, Park, Release, Reschedule
from stem.contracts.store import Delivery
from stem.tasks.status import Failure
from stem.testing.contracts import Bench
from stem.testing.contracts.allowances import allow, publish_many
from stem.testing.contracts.build import SUCCESS, seconds

OTHER: Final = "registry-2"


async def park(bench: Bench, delivery: Delivery, pause: float, fingerprint: str = "registry-1") -> str:
    await bench.apply(Park("unknown task", fingerprint, seconds(pause)), fence=delivery.fence)
    return delivery.fence.task_id


async def test_after_the_pause_a_message_is_in_line_since_it_was_parked(bench: Bench) -> None:
    parked = await park(bench, await bench.running(), 60)
    bench.clock.advance(1)
    later = await bench.put()
    bench.clock.advance(60)
    assert await bench.leased_ids(1) == [parked]
    assert await bench.leased_ids(1) == [later]


async def test_of_two_that_were_parked_the_first_is_given_first_whichever_pause_is_longer(bench: Bench) -> None:
    first = await park(bench, await bench.running(), 60)
    second = await park(bench, await bench.running(), 10)
    bench.clock.advance(60)
    assert await bench.leased_ids(1) + await bench.leased_ids(1) == [first, second]


async def test_next_due_counts_the_end_of_a_pause_that_is_not_the_first(bench: Bench) -> None:
    await park(bench, await bench.running(), 10)
    await park(bench, await bench.delivery(fingerprint=OTHER), 60, OTHER)
    bench.clock.advance(20)
    assert (await bench.lease(fingerprint=OTHER)).next_due == seconds(40)


@pytest.mark.parametrize("back", [Release(), Reschedule(0, Failure("E", "m"))], ids=["release", "reschedule"])
async def test_next_due_counts_the_pause_of_a_message_that_came_back_from_another(
    bench: Bench, back: Release | Reschedule
) -> None:
    await park(bench, await bench.running(), 60)
    other = await bench.delivery(fingerprint=OTHER)
    await bench.apply(back, fence=other.fence)
    assert (await bench.lease()).next_due == seconds(60)
    assert await bench.leased_ids(fingerprint=OTHER) == [other.fence.task_id]


async def test_a_pause_that_ends_while_its_message_stands_aside_is_over_when_it_is_let_back(bench: Bench) -> None:
    parked = await park(bench, await bench.running(), 60)
    await allow(bench, concurrency=1)
    holder = await bench.running()
    assert await bench.leased_ids(fingerprint=OTHER) == []
    bench.clock.advance(60)
    await bench.apply(SUCCESS, fence=holder.fence)
    assert await bench.leased_ids() == [parked]


async def test_a_release_that_is_sent_again_moves_no_parked_message(bench: Bench) -> None:
    parked = await park(bench, await bench.running(), 60)
    other = await bench.delivery(fingerprint=OTHER)
    for _ in range(2):
        await bench.apply(Release(), fence=other.fence)
        assert await bench.leased_ids() == []
    assert await bench.leased_ids(fingerprint=OTHER) == [parked]


async def test_many_pauses_that_end_at_once_are_judged_a_bounded_number_by_each_call(bench: Bench) -> None:
    ids = await publish_many(bench, MOST_JUDGED + 50)
    deliveries = (await bench.lease(len(ids))).deliveries
    parks = [Change((Park("unknown task", "registry-1", seconds(60)),), each.fence) for each in deliveries]
    await bench.store.commit(parks)
    bench.clock.advance(60)
    answer = await bench.lease(len(ids))
    assert (len(answer.deliveries), answer.next_due) == (MOST_JUDGED, 0)
    assert len(await bench.leased_ids(len(ids))) == 50


@pytest.mark.parametrize("damage", ["{nope", "[1]", "7", '[["f", null]]'])
async def test_refusals_that_are_damaged_stop_no_worker(bench: Bench, plain: sqlite3.Connection, damage: str) -> None:
    parked = await park(bench, await bench.running(), 60)
    sound = await bench.put()
    plain.execute("UPDATE stem_tasks SET refused = ? WHERE id = ?", (damage, parked))
    assert await bench.leased_ids(5) == [sound]
    bench.clock.advance(60)
    delivery = await bench.delivery()
    assert delivery.fence.task_id == parked
    await park(bench, delivery, 60)
    assert (await bench.record(parked)).refused_by == ("registry-1",)
