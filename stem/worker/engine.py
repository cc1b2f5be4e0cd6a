"""The parts of a running worker, connected: slots, attempts, keeper, fetcher, sweeper."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from typing import Final

from stem.clock import Clock, Micros, to_micros
from stem.contracts.changes import Applied, Change, Release
from stem.contracts.store import Delivery, LeaseVerdict, Store
from stem.errors import StoreError
from stem.registry import Registry
from stem.signals.middleware import NO_MIDDLEWARE, Stack
from stem.stores.committer import Commits
from stem.tasks.broadcast import private_queue
from stem.tasks.encoders import PLAIN, Encoders
from stem.worker.attempt import Attempts
from stem.worker.context import CallPublisher, Surroundings
from stem.worker.decide import Stop, decide_stopped
from stem.worker.demand import Demand
from stem.worker.fetch import Fetcher
from stem.worker.held import Held
from stem.worker.herald import Herald
from stem.worker.lanes import Lanes
from stem.worker.lease import LeaseKeeper
from stem.worker.process.messages import Setup
from stem.worker.process.pool import Children, Recycling
from stem.worker.revoked import Revoked
from stem.worker.run import Jobs, Threads, limits_to_declare, other_leases, takes_early
from stem.worker.settings import WorkerSettings
from stem.worker.slots import Slots
from stem.worker.stats import WorkerStats
from stem.worker.sweep import Sweeper
from stem.worker.tell import Teller
from stem.worker.timing import wait_all

_ABANDONED: Final = 3

__all__ = ["Engine", "Outside"]

_log: Final = logging.getLogger("stem.worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What a worker is given."""

    store: Store
    commits: Commits
    registry: Registry
    settings: WorkerSettings
    clock: Clock
    publisher: CallPublisher
    tell: Teller
    middleware: Stack = NO_MIDDLEWARE
    encoders: Encoders = PLAIN


class Engine:
    """Made on the event loop that it works on. Nothing runs until its owner starts the loops."""

    def __init__(
        self,
        outside: Outside,
        jobs: Jobs,
        state: object,
        stats: WorkerStats,
        *,
        setup: Setup | None = None,
        revoked: Revoked | None = None,
    ) -> None:
        settings, clock = outside.settings, outside.clock
        self._commits = outside.commits
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()
        self._stats = stats
        self._tell_listeners = outside.tell
        self._background: set[asyncio.Task[None]] = set()
        self.over = asyncio.Event()
        """Set when, after its slots were closed, the last attempt has its verdict."""
        self.slots = self._make_slots(settings)
        self.keeper = LeaseKeeper(outside.store.keeper, self.slots.held, clock=clock, tell=self._tell)
        self.threads = Threads(settings.concurrency)
        self.children = None if setup is None else _children(setup, settings, clock, outside.tell)
        lanes = Lanes(self.threads, self.children, clock=clock)
        self.sweeper = self._make_sweeper(outside, jobs)
        revoked = Revoked(outside.store) if revoked is None else revoked
        self._attempts = Attempts(
            jobs,
            lanes,
            fingerprint=outside.registry.fingerprint,
            revoked=revoked,
            herald=Herald(outside.store, revoked=revoked, worker=settings.name, steady=self.sweeper.steady),
            around=self._make_surroundings(outside, state),
            stats=stats,
            handled=self._handled,
            ended=self._ended,
        )
        self.fetcher = Fetcher(outside.store, self.slots, _wants(outside, jobs), clock=clock, stats=stats)

    def _make_slots(self, settings: WorkerSettings) -> Slots:
        return Slots(
            settings.min_concurrency or settings.concurrency,
            clock=self._clock,
            launch=self._launch,
            give_back=self.give_back,
            drop=self._dropped,
            call_soon=self._call_soon,
        )

    def _make_sweeper(self, outside: Outside, jobs: Jobs) -> Sweeper:
        return Sweeper(
            outside.store,
            self.slots,
            jobs,
            worker=outside.settings.name,
            clock=self._clock,
            commit=self.commit_soon,
            rescued=self._rescued,
        )

    def _make_surroundings(self, outside: Outside, state: object) -> Surroundings:
        return Surroundings(
            worker=outside.settings.name,
            state=state,
            publisher=outside.publisher,
            commits=outside.commits,
            keeper=self.keeper,
            loop=self._loop,
            clock=self._clock,
            tell=outside.tell,
            middleware=outside.middleware,
            middleware_limit=to_micros(outside.settings.middleware_limit),
            encoders=outside.encoders,
        )

    async def tidy(self) -> None:
        """Give back what waited too long for a slot, and wait no longer for middleware that had its time."""
        self.slots.give_back_old()
        for held in self.slots.held():
            if held.patience is not None:
                held.patience.look()

    def end_all(self, why: Stop) -> None:
        """Stop every attempt whose handler still runs."""
        for held in self.slots.held():
            held.end(why)

    def give_back(self, delivery: Delivery, delay: int) -> None:
        """Release a delivery that was never started; awaited by nobody, sent before `flush` returns."""
        self.commit_soon(delivery, Change((Release(delay),), delivery.fence))

    def abandon(self, held: Held) -> None:
        """Give back under an attempt that does not end; the number of the change fences what it may still commit."""
        change = decide_stopped(held.delivery, Stop.SHUTDOWN, once=held.once)
        if change is not None:
            self.commit_soon(held.delivery, change._replace(number=_ABANDONED))

    def commit_soon(self, delivery: Delivery, change: Change) -> None:
        """Commit what was decided of a delivery; awaited by nobody, sent before `flush` returns."""
        task = self._loop.create_task(self._commit(delivery, change))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def flush(self, longest: Micros) -> None:
        """Return when everything that nobody awaited has its verdict, or after `longest`: then leases run out."""
        deadline = self._clock.elapsed() + longest
        while self._background and (left := deadline - self._clock.elapsed()) > 0:
            await wait_all(tuple(self._background), self._clock, left)

    def _launch(self, held: Held) -> None:
        held.task = self._loop.create_task(self._attempts.run(held), context=self._context.copy())

    def _handled(self, held: Held) -> None:
        self.slots.handled(held)
        self.fetcher.handled(held)

    def _ended(self, held: Held) -> None:
        self.slots.done(held)
        self.fetcher.slot_freed()
        if self.slots.over:
            self.over.set()

    async def _commit(self, delivery: Delivery, change: Change) -> None:
        try:
            verdict = await self._commits.commit(change)
        except StoreError as error:
            _log.warning("a delivery could not be given back (%s); its lease runs out", error.code)
            return
        if isinstance(verdict, Applied):
            self._stats.count(change)
            if self._tell_listeners.signals.heard:
                self._tell_listeners.ended(delivery, change)

    def _rescued(self, delivery: Delivery) -> None:
        self._stats.rescued += 1
        if self._tell_listeners.signals.heard:
            self._tell_listeners.rescued(delivery)

    def _dropped(self) -> None:
        self._stats.dropped += 1

    def _tell(self, news: Sequence[tuple[Held, LeaseVerdict]]) -> None:
        """From the keeper's thread."""
        self._call_soon(lambda: _hear(news))

    def _call_soon(self, callback: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed: there is nobody left to tell
            self._loop.call_soon_threadsafe(callback)


def _hear(news: Sequence[tuple[Held, LeaseVerdict]]) -> None:
    for held, verdict in news:
        match verdict:
            case LeaseVerdict.LOST:
                held.end(Stop.LOST)
            case LeaseVerdict.CANCEL:
                held.request_cancel()
            case LeaseVerdict.TERMINATE:
                held.request_cancel()
                held.end(Stop.TERMINATE)
            case LeaseVerdict.KEPT:
                pass


def _children(setup: Setup, settings: WorkerSettings, clock: Clock, tell: Teller) -> Children:
    recycling = Recycling(settings.max_tasks_per_child, settings.max_memory_per_child)
    most = min(settings.children, settings.concurrency)
    return Children(setup, most=most, recycling=recycling, clock=clock, tell=tell)


def _wants(outside: Outside, jobs: Jobs) -> Demand:
    settings = outside.settings
    return Demand(
        worker=settings.name,
        fingerprint=outside.registry.fingerprint,
        queues=dict(settings.queues),
        private=private_queue(settings.name),
        lease=to_micros(settings.lease),
        leases=other_leases(outside.registry),
        mark_started=not takes_early(jobs),
        limits=limits_to_declare(jobs),
    )
