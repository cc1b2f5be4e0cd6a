"""Namespaces: what is in one is nothing to the other."""

from __future__ import annotations

from stem.contracts.changes import APPLIED, FENCED, Change, OpenGroup, Publish, UniqueKey, Write
from stem.contracts.control import Revocation
from stem.contracts.heartbeats import Heartbeat
from stem.contracts.outcomes import Outcome
from stem.contracts.queries import TaskFilter
from stem.contracts.store import LeaseRequest, Store, Suspect, TakeRequest
from stem.tasks.state import TaskState
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import SUCCESS, Bench, publish, seconds

__all__ = ["NamespaceContract"]


async def _commit(store: Store, *writes: Write) -> None:
    assert await store.commit([Change(writes)]) == [APPLIED]


def _request() -> LeaseRequest:
    return LeaseRequest(request_id="r", worker="w", fingerprint="f", queues={"default": 1}, limit=5)


class NamespaceContract(Contract):
    """`StoreOptions.namespace`."""

    async def test_a_task_is_in_its_own_namespace_only(self, bench: Bench, foreign: Store) -> None:
        task_id = await bench.put()
        assert await foreign.get([task_id]) == {}
        assert (await foreign.list_tasks(TaskFilter(), limit=5)).records == ()
        assert tuple(await foreign.queues()) == ()
        assert await foreign.task_names() == {}
        assert (await foreign.lease(_request())).deliveries == ()

    async def test_the_same_id_may_be_in_two_namespaces(self, bench: Bench, foreign: Store) -> None:
        ours, theirs = publish(id="same", name="ours"), publish(id="same", name="theirs")
        await bench.apply(ours)
        await _commit(foreign, theirs)
        assert (await bench.record("same")).name == "ours"
        assert (await foreign.get(["same"]))["same"].name == "theirs"

    async def test_a_unique_key_is_held_in_one_namespace_only(self, bench: Bench, foreign: Store) -> None:
        await bench.put(unique=UniqueKey("k"))
        write: Publish = publish(unique=UniqueKey("k"))
        await _commit(foreign, write)

    async def test_a_fence_of_one_namespace_is_none_in_the_other(self, bench: Bench, foreign: Store) -> None:
        ours = await bench.running(id="same")
        await _commit(foreign, publish(id="same"))
        (theirs,) = (await foreign.lease(_request())).deliveries
        assert await foreign.commit([Change((SUCCESS,), ours.fence)]) == [FENCED]
        assert await foreign.commit([Change((SUCCESS,), theirs.fence)]) == [APPLIED]
        assert await bench.state("same") is TaskState.RUNNING

    async def test_suspects_of_one_namespace_are_none_in_the_other(self, bench: Bench, foreign: Store) -> None:
        delivery = await bench.running()
        bench.clock.advance(60)
        assert await foreign.suspects() == ()
        suspect: Suspect = await bench.suspect(delivery.fence)
        assert await foreign.take(TakeRequest(request_id="t", worker="w", suspects=(suspect,))) == ()

    async def test_groups_and_schedules_are_in_their_own_namespace_only(self, bench: Bench, foreign: Store) -> None:
        await bench.apply(OpenGroup(group="g", size=1))
        await bench.store.put_schedule("s", b"spec", next_fire=0)
        assert await foreign.group("g") is None
        assert await foreign.schedule("s") is None
        assert await foreign.due_schedules(5) == ()

    async def test_pauses_and_revocations_are_in_their_own_namespace_only(self, bench: Bench, foreign: Store) -> None:
        await bench.store.pause("default")
        await bench.store.revoke([Revocation(task_id="a", version=1)])
        assert await foreign.pauses() == ()
        assert await foreign.revoked(["a"]) == ()
        await _commit(foreign, publish())
        assert len((await foreign.lease(_request())).deliveries) == 1

    async def test_a_prune_of_one_namespace_leaves_the_other(self, bench: Bench, foreign: Store) -> None:
        soon = Revocation(task_id="a", version=1, expires_at=bench.clock.now() + seconds(1))
        await foreign.revoke([soon])
        await bench.store.retain(10)
        assert await foreign.revoked(["a"]) == (soon,)

    async def test_locks_broadcasts_and_outcomes_are_in_their_own_namespace_only(
        self, bench: Bench, foreign: Store
    ) -> None:
        await bench.store.acquire("k", "a", seconds(10))
        await bench.store.broadcast("control", b"x", message_id="m")
        await bench.store.record_outcomes([Outcome(task_id="a", generation=0, state=TaskState.SUCCEEDED)])
        assert await foreign.acquire("k", "b", seconds(10)) is not None
        assert await foreign.broadcasts(["control"], after=0, limit=5) == ()
        assert await foreign.outcomes(["a"]) == {}

    async def test_workers_are_in_their_own_namespace_only(self, bench: Bench, foreign: Store) -> None:
        beat = Heartbeat(
            worker="w",
            host="h",
            pid=1,
            fingerprint="f",
            queues=("default",),
            concurrency=1,
            running=0,
            every=seconds(5),
        )
        await bench.store.beat(beat)
        assert await foreign.workers() == ()
