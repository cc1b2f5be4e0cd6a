"""What a clean process does after a crash, and what it always finds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from stem.contracts.changes import APPLIED, Change
from stem.testing.clock import ManualClock
from stem.testing.contracts.build import SECOND, SUCCESS, Bench
from stem.worker.crashed import decide_crashed
from tests.scenarios.support.crashes import FLOWS
from tests.scenarios.support.crashes.flow import Aftermath, Fact, Flow
from tests.scenarios.support.crashes.order import Order, joined, open_all

__all__ = ["audit", "clean_up"]

LATER: Final = 7200.0
"""Seconds after which every lease has run out, and every group that was not sealed is forgotten."""


async def audit(order: Order, told: Iterable[Fact]) -> None:
    """Assert, from a clean process long after the crash, everything that has to hold."""
    clock = ManualClock()
    clock.advance(LATER)
    store = joined(await open_all(order.urls, order.namespace, clock))
    try:
        await FLOWS[order.flow].audit(await clean_up(FLOWS[order.flow], Bench(store, clock), told))
    except AssertionError as error:
        error.add_note(f"after {order.spot or 'a run to the end'}, told {told}")
        raise
    finally:
        await store.aclose()


async def clean_up(flow: Flow, bench: Bench, told: Iterable[Fact]) -> Aftermath:
    """Resume, rescue, run all that is left; assert what holds of every crash. Leases must have run out by now."""
    facts = frozenset(told)
    before = await bench.everything()
    await flow.resume(bench)
    await _rescue(bench)
    ran = await _run_out(bench, flow.queues)
    await bench.store.retain(1000)
    after = Aftermath(facts, before, ran, await bench.everything(), bench)
    _assert_nothing_lost(after)
    await _assert_all_at_rest(after)
    return after


async def _rescue(bench: Bench) -> None:
    for delivery in await bench.take(*await bench.store.suspects()):
        change = decide_crashed(delivery, None, free=False, random=0.0)
        assert change is not None
        await bench.apply(*change.writes, fence=change.fence)


async def _run_out(bench: Bench, queues: Mapping[str, int]) -> Counter[str]:
    """Run everything that is due, or becomes due; how often each task ran."""
    ran: Counter[str] = Counter()
    while True:
        answer = await bench.lease(100, queues=queues)
        changes = [Change((SUCCESS,), delivery.fence) for delivery in answer.deliveries]
        assert await bench.store.commit(changes) == [APPLIED] * len(changes)
        ran.update(delivery.fence.task_id for delivery in answer.deliveries)
        if not changes and answer.next_due is None:
            return ran
        bench.clock.advance((answer.next_due or 0) / SECOND)


def _assert_nothing_lost(after: Aftermath) -> None:
    published = {task for verb, task in after.told if verb == "published"}
    ended = {task for verb, task in after.told if verb == "ended"}
    over = {task: record for task, record in after.before.items() if record.state.is_terminal}
    assert published <= after.before.keys(), "what was accepted is there"
    assert ended <= over.keys(), "what was told to have ended has ended"
    assert over.keys().isdisjoint(after.ran), "what has ended does not run again"
    assert over.items() <= after.records.items(), "what has ended stays as it is"
    assert set(after.ran.values()) <= {1}, "nothing is there twice"


async def _assert_all_at_rest(after: Aftermath) -> None:
    store, records = after.bench.store, after.records.values()
    assert [record for record in records if not record.state.is_terminal] == [], "all have ended"
    assert await store.suspects() == ()
    counted = {(count.queue, state): number for count in await store.queues() for state, number in count.counts.items()}
    assert counted == Counter((record.queue, record.state) for record in records), "the counts are right"
