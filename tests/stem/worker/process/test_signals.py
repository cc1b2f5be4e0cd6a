"""Handlers in child processes have their middleware and their signals as all others do."""

from __future__ import annotations

from stem.registry import definition
from stem.signals import Attempt, ChildEndedEvent, ChildStartedEvent, Event, NextAttempt, RaisedElsewhere
from stem.tasks.envelope import decode_envelope
from stem.tasks.state import TaskEvent, TaskState
from stem.tasks.status import TaskRecord
from stem.worker.settings import WorkerSettings
from tests.stem.worker.middlewares import Decides, Tenant
from tests.stem.worker.process import tasks
from tests.stem.worker.support import Workshop, eventually


class Watches:
    """Keeps what handlers raise."""

    def __init__(self) -> None:
        self.seen: list[BaseException] = []

    async def around_attempt(self, attempt: Attempt, call_next: NextAttempt) -> None:
        try:
            await call_next()
        except Exception as error:
            self.seen.append(error)
            raise


def _error_kind(record: TaskRecord) -> str:
    return "" if record.error is None else record.error.kind


async def test_what_a_child_enqueues_passes_the_middleware_in_the_context_of_its_attempt(shop: Workshop) -> None:
    shop.use(Tenant())
    for tenant in ("acme", "beta"):
        await shop.enqueue(definition(tasks.talks).options(headers={"tenant": tenant}).call())
    hands = shop.hands(tasks.talks, settings=WorkerSettings(name="worker-1", children=1), lifespan=tasks.opens)
    hands.fetch()
    await eventually(lambda: hands.stats.of(TaskEvent.SUCCEEDED) == 2)

    published = [record for record in (await shop.bench.everything()).values() if record.parent is not None]
    tenants = sorted(decode_envelope(record.envelope).headers["tenant"] for record in published)
    assert tenants == ["acme", "acme", "beta", "beta"]


async def test_an_error_of_a_child_is_seen_by_what_is_recorded_of_it(shop: Workshop) -> None:
    watches, decides = Watches(), Decides(None)
    shop.use(watches, decides)
    task_id = await shop.enqueue(definition(tasks.hopeless).call())
    hands = shop.hands(tasks.hopeless, settings=WorkerSettings(name="worker-1"), lifespan=tasks.opens)
    hands.fetch()
    await eventually(lambda: bool(hands.stats.ended))

    record = await shop.bench.record(task_id)
    (error,) = watches.seen
    assert isinstance(error, RaisedElsewhere)
    assert error.failure == record.error
    assert decides.seen == [f"apart.hopeless: {error}"]
    assert record.state in {TaskState.FAILED, TaskState.RETRYING}
    assert _error_kind(record) not in {"", "RaisedElsewhere", "Judged"}


async def test_the_life_of_a_child_is_told(shop: Workshop) -> None:
    told: list[Event] = []
    shop.signals.tap(told.append)
    await shop.enqueue(tasks.WHERE.call())
    worker = shop.worker(tasks.where, settings=WorkerSettings(name="worker-1"), lifespan=tasks.opens)
    async with worker:
        await eventually(lambda: bool(worker.stats.ended))

    started, ended = (event for event in told if isinstance(event, ChildStartedEvent | ChildEndedEvent))
    assert isinstance(started, ChildStartedEvent)
    assert isinstance(ended, ChildEndedEvent)
    assert (ended.pid, ended.tasks) == (started.pid, 1)
