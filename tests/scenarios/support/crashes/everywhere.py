"""The flow of a broadcast: handed out to two workers, run by both, ended."""

from __future__ import annotations

from types import MappingProxyType

from stem.contracts.heartbeats import Heartbeat
from stem.tasks.broadcast import announcement
from stem.tasks.state import TaskState
from stem.testing.contracts.build import SECOND, Bench, make_envelope, publish
from stem.worker.held import Held
from stem.worker.herald import Herald
from stem.worker.revoked import Revoked
from tests.scenarios.support.crashes.flow import Aftermath, Flow, Tell

__all__ = ["HandingOut"]

CREW = ("a", "b")


class HandingOut(Flow):
    """A worker that gets a broadcast, and the workers that it is for."""

    queues = MappingProxyType({"default": 1, "worker:a": 1, "worker:b": 1})

    async def prepare(self, bench: Bench) -> None:
        for worker in CREW:
            await bench.store.beat(_sign_of(worker))
        await bench.apply(publish(announcement(make_envelope(id="all"))))

    async def act(self, bench: Bench, tell: Tell) -> None:
        herald = Herald(bench.store, revoked=Revoked(bench.store), worker="a", steady=lambda: 60 * SECOND)
        await _settle(bench, herald)
        tell("said", "handed out")
        for worker in CREW:
            tell("ended", await bench.finish(queues={f"worker:{worker}": 1}))
        bench.clock.advance(1)
        await _settle(bench, herald)
        tell("ended", "all")

    async def audit(self, after: Aftermath) -> None:
        copies = [record for record in after.records.values() if record.parent == "all"]
        assert len(copies) in ((2,) if after.said("handed out") else (0, 2))
        assert {record.queue for record in copies} <= {"worker:a", "worker:b"}
        assert {record.state for record in after.records.values()} == {TaskState.SUCCEEDED}


async def _settle(bench: Bench, herald: Herald) -> None:
    delivery = await bench.delivery()
    change = await herald.change(Held.of(delivery, bench.clock.elapsed()))
    assert change is not None
    await bench.apply(*change.writes, fence=change.fence)


def _sign_of(worker: str) -> Heartbeat:
    return Heartbeat(
        worker=worker,
        host="host",
        pid=1,
        fingerprint="registry-1",
        queues=("default",),
        concurrency=1,
        running=0,
        every=5 * SECOND,
    )
