"""What the tests of the worker run: deliveries by hand, and an engine whose every step the test takes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypedDict, Unpack

from stem.app import Stem
from stem.client.enqueue import Publisher
from stem.clock import Micros
from stem.contracts.changes import Change, Fence, Write
from stem.contracts.store import Delivery, Store
from stem.registry import Registry
from stem.signals.hub import Signals
from stem.signals.middleware import NO_MIDDLEWARE, Middleware, Stack, stack_of
from stem.stores.committer import Committer
from stem.tasks.call import TaskCall
from stem.tasks.options import Ack
from stem.tasks.retry import Backoff
from stem.testing import ManualClock
from stem.testing.contracts.build import Bench
from stem.worker.engine import Engine, Outside
from stem.worker.process.apart import setup_of
from stem.worker.run import make_jobs, runs_apart
from stem.worker.settings import WorkerSettings
from stem.worker.stats import WorkerStats
from stem.worker.tell import Teller
from stem.worker.worker import Lifespan, Worker

__all__ = ["SECOND", "Hands", "Workshop", "delivery", "eventually", "only_write", "turns"]

SECOND: Micros = 1_000_000


class DeliveryFields(TypedDict, total=False):
    """What a delivery made here may be given."""

    fence: Fence
    body: bytes
    name: str
    attempt: int
    max_retries: int
    generation: int
    deliveries: int
    crashes: int
    lost: int
    lease: Micros
    expired: bool
    ignore_result: bool
    started: bool
    cancel_requested: bool
    parks: int
    lost_by: str | None
    backoff: Backoff | None
    ack: Ack


_PLAIN = Delivery(
    fence=Fence("task-1", 1, "request-1"),
    body=b"{}\n{}",
    name="tests.task",
    queue="default",
    attempt=0,
    max_retries=3,
    generation=0,
    deliveries=1,
    crashes=0,
    lost=0,
    lease=10 * SECOND,
    published_at=0,
    expires_at=None,
    expired=False,
    ignore_result=False,
    started=False,
    cancel_requested=False,
    parks=0,
)


def delivery(**given: Unpack[DeliveryFields]) -> Delivery:
    """An ordinary first delivery, but for what is given."""
    return _PLAIN._replace(**given)


def only_write(change: Change | None) -> Write:
    """The one write of a change."""
    assert change is not None
    (write,) = change.writes
    return write


async def turns(count: int = 30) -> None:
    """Let the loop run what is ready."""
    for _ in range(count):
        await asyncio.sleep(0)


async def eventually(holds: Callable[[], bool]) -> None:
    """Return when something that another thread brings about is so; the test's own timeout is the limit."""
    while not holds():  # noqa: ASYNC110  # other threads set no event of this loop
        await asyncio.sleep(0.001)


@dataclass(slots=True)
class Hands:
    """An engine without loops of its own: the test fetches, keeps and sweeps."""

    engine: Engine
    stats: WorkerStats
    store: Store
    tasks: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])

    def fetch(self) -> None:
        """Start the fetching loop, with an ear for notices."""
        self.store.listen(self.engine.fetcher.hear)
        self.tasks.append(asyncio.ensure_future(self.engine.fetcher.run()))

    async def aclose(self) -> None:
        """End everything at once, as a death of the process would, but without leaking tasks."""
        for held in self.engine.slots.held():
            if held.task is not None:
                self.tasks.append(held.task)
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.engine.keeper.close()
        self.engine.threads.close()
        if self.engine.children is not None:
            await self.engine.children.aclose()


@dataclass(slots=True)
class Workshop:
    """A store, its clock, and workers over it."""

    store: Store
    clock: ManualClock
    commits: Committer
    publisher: Publisher
    bench: Bench
    signals: Signals
    middleware: Stack = NO_MIDDLEWARE
    opened: list[Hands] = field(default_factory=list[Hands])

    @classmethod
    def over(cls, store: Store, clock: ManualClock, commits: Committer) -> Workshop:
        """A workshop whose handles nobody asks."""
        signals = Signals(clock)
        signals.open()
        publisher = Publisher(commits, Stem("memory://"), defaults={}, payload_limit=1_000_000, signals=signals)
        return cls(store, clock, commits, publisher, Bench(store, clock), signals)

    def use(self, *middleware: Middleware) -> None:
        """Put middleware around what is enqueued and run from now on."""
        self.middleware = stack_of(middleware)
        self.publisher = Publisher(
            self.commits,
            Stem("memory://"),
            defaults={},
            payload_limit=1_000_000,
            middleware=self.middleware.on_enqueue,
            signals=self.signals,
        )

    async def enqueue(self, call: TaskCall[object]) -> str:
        """Publish a call; its id."""
        return (await self.publisher.publish(call)).id

    def hands(
        self,
        *handlers: Callable[..., object],
        name: str = "worker-1",
        concurrency: int = 10,
        settings: WorkerSettings | None = None,
        lifespan: Lifespan | None = None,
    ) -> Hands:
        """An engine for these handlers."""
        settings = settings or WorkerSettings(name=name, concurrency=concurrency)
        registry = Registry.of(*handlers)
        stats = WorkerStats()
        outside = Outside(
            store=self.store,
            commits=self.commits,
            registry=registry,
            settings=settings,
            clock=self.clock,
            publisher=self.publisher,
            tell=Teller(self.signals, settings, self.clock),
            middleware=self.middleware,
        )
        jobs = make_jobs(registry)
        setup = setup_of(name, lifespan) if runs_apart(jobs) else None
        hands = Hands(Engine(outside, jobs, None, stats, setup=setup), stats, self.store)
        self.opened.append(hands)
        return hands

    def worker(
        self, *handlers: Callable[..., object], settings: WorkerSettings | None = None, lifespan: Lifespan | None = None
    ) -> Worker:
        """A whole worker for these handlers."""
        return Worker(
            self.store,
            self.commits,
            Registry.of(*handlers),
            settings or WorkerSettings(name="worker-1", concurrency=10),
            clock=self.clock,
            publisher=self.publisher,
            lifespan=lifespan,
            middleware=self.middleware,
            signals=self.signals,
        )

    async def aclose(self) -> None:
        """End every engine that was made here."""
        self.signals.close()
        for hands in self.opened:
            await hands.aclose()
