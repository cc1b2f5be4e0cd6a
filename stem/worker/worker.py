"""One worker process: its life from start to a stop that loses nothing."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import timedelta
from typing import Final, Self

from stem.clock import Clock, Micros, to_micros
from stem.contracts.store import Store
from stem.registry import Registry
from stem.signals.events import Event, WorkerStoppedEvent
from stem.signals.hub import Signals
from stem.signals.middleware import NO_MIDDLEWARE, Stack
from stem.signals.stream import EventStream, stream_of
from stem.stores.committer import Commits
from stem.tasks.encoders import PLAIN, Encoders
from stem.worker.beats import Beats
from stem.worker.context import CallPublisher
from stem.worker.control import ControlEar
from stem.worker.desk import WorkerDesk
from stem.worker.draining import Haste, close_engine, drain, end_loops
from stem.worker.engine import Engine, Outside
from stem.worker.health import WorkerHealth, judge
from stem.worker.held import Held
from stem.worker.lifespan import Lifespan, open_state
from stem.worker.loops import Loops
from stem.worker.process.apart import setup_of
from stem.worker.revoked import Revoked
from stem.worker.run import make_jobs, runs_apart
from stem.worker.settings import WorkerSettings
from stem.worker.signals import install_signals
from stem.worker.stats import WorkerStats
from stem.worker.tell import Teller

__all__ = ["Lifespan", "Worker"]

_log: Final = logging.getLogger("stem.worker")


class Worker:
    """Runs the tasks of a registry: entered, it works until it is left or stopped.

    Stopping drains: nothing more is leased, what runs may go on for `drain`, what is left is cancelled and goes back
    without using an attempt. If the process dies instead, other workers take its tasks over.
    """

    def __init__(
        self,
        store: Store,
        commits: Commits,
        registry: Registry,
        settings: WorkerSettings,
        *,
        clock: Clock,
        publisher: CallPublisher,
        lifespan: Lifespan | None = None,
        middleware: Stack = NO_MIDDLEWARE,
        encoders: Encoders = PLAIN,
        signals: Signals | None = None,
    ) -> None:
        self._signals = signals or Signals(clock)
        self._tell = Teller(self._signals, settings, clock)
        self._outside = Outside(
            store=store,
            commits=commits,
            registry=registry,
            settings=settings,
            clock=clock,
            publisher=publisher,
            tell=self._tell,
            middleware=middleware,
            encoders=encoders,
        )
        self._lifespan = lifespan
        self._stats = WorkerStats()
        self._beats = Beats(self._outside, concurrency=self._concurrency, attempts=self.attempts)
        self._dead: tuple[int, int, tuple[str, ...]] | None = None
        self._asked = asyncio.Event()
        self._haste = Haste()
        self._revoked = Revoked(store)
        self._error: BaseException | None = None
        self._engine: Engine | None = None
        self._loops: Loops | None = None
        self._stack = AsyncExitStack()
        self._body: asyncio.Task[object] | None = None
        self._cancelled_body = False
        self._shutdown: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """The worker's name, as the store knows it."""
        return self._outside.settings.name

    @property
    def settings(self) -> WorkerSettings:
        """The settings it was made with."""
        return self._outside.settings

    @property
    def stats(self) -> WorkerStats:
        """What it has done since it started."""
        return self._stats

    @property
    def running(self) -> int:
        """How many tasks run, or wait for their outcome to be recorded."""
        return 0 if self._engine is None else self._engine.slots.busy

    def events(self, *, limit: int = 1_000) -> AbstractAsyncContextManager[EventStream]:
        """What this worker does, from now on until it has stopped: `async with worker.events() as events: ...`.

        A reader that is more than `limit` events behind loses the oldest of them.
        """
        return stream_of(self._signals, holds=self._is_ours, is_last=_is_the_end, limit=limit)

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._asked.is_set()

    @property
    def health(self) -> WorkerHealth:
        """Whether it lives and consumes; for probes."""
        engine, clock = self._engine, self._outside.clock
        answered = None if engine is None else engine.fetcher.answered_at
        return judge(
            quiet=None if answered is None else clock.elapsed() - answered,
            full=engine is not None and engine.slots.free <= 0,
            stopping=self.stopping,
            failed=self._error is not None,
        )

    def attempts(self) -> list[Held]:
        """What runs, or waits for its outcome to be recorded."""
        return [] if self._engine is None else self._engine.slots.held()

    def take_the_place_of(self, pid: int, code: int, last_lines: tuple[str, ...] = ()) -> None:
        """Say, before the start, which process of this machine died before this one, by which exit code, and what it
        logged last.

        A signal is its number below zero. What its tasks are buried with, should they crash too often, tells it then.
        """
        self._dead = (pid, code, last_lines)

    async def __aenter__(self) -> Self:
        """Start. Raises `ConfigError` for a task that cannot run here and for a lifespan that raises; then nothing
        was started."""
        self._tell.starting()
        try:
            engine, ear = await self._start()
        except BaseException as error:
            self._tell.stopped(error)
            raise
        self._loops = Loops(self._outside, engine, beats=self._beats, ear=ear, asked=self._asked, failed=self._fail)
        self._body = asyncio.current_task()
        self._tell.ready()
        return self

    async def _start(self) -> tuple[Engine, ControlEar]:
        jobs = make_jobs(self._outside.registry)
        setup = setup_of(self.name, self._lifespan) if runs_apart(jobs) else None
        async with AsyncExitStack() as stack:
            state = await open_state(self._lifespan, stack)
            stack.push_async_callback(self._beats.sign_off)
            engine = Engine(self._outside, jobs, state, self._stats, setup=setup, revoked=self._revoked)
            if self._dead is not None:
                await self._beats.find_predecessor(*self._dead)
            await self._beats.beat()
            stack.callback(self._outside.store.listen(engine.fetcher.hear).close)
            ear = self._ear()
            stack.callback(self._outside.store.listen(ear.hear).close)
            await ear.begin()
            engine.keeper.start()
            self._stack, self._engine = stack.pop_all(), engine
        return engine, ear

    async def __aexit__(self, *_: object) -> None:
        """Stop. Raises what made the worker unable to go on; the body of `async with` was cancelled then."""
        body, self._body = self._body, None
        await self.stop()
        if self._cancelled_body and body is not None:
            body.uncancel()
        self._raise_error()

    async def run_until_stopped(self) -> None:
        """Work until `ask_to_stop`, `stop` or a signal; drain; return. Raises what made the worker unable to go on."""
        body, self._body = self._body, None
        await self._asked.wait()
        await self.stop()
        self._body = body
        self._raise_error()

    def _raise_error(self) -> None:
        """What stopped the worker is raised once."""
        error, self._error = self._error, None
        if error is not None:
            raise error

    def ask_to_stop(self) -> None:
        """What SIGTERM does: `run_until_stopped` drains and returns; asked twice, it cancels what runs at once."""
        if self._asked.is_set():
            _log.info("asked to stop again: what runs is cancelled and goes back to its queue")
            self._haste.hurry()
        else:
            _log.info("asked to stop: %d running, which may go on for %s", self.running, self.settings.drain)
        self._asked.set()

    async def stop(self, *, drain: timedelta | None = None) -> None:
        """Drain (for the settings' `drain` when not given), give back what is left, close. May be called twice."""
        self._asked.set()
        if self._engine is None:
            return
        if self._shutdown is None:
            longest = to_micros(self.settings.drain if drain is None else drain)
            self._shutdown = asyncio.ensure_future(self._shut_down(self._engine, longest))
        await asyncio.shield(self._shutdown)

    async def stop_now(self, *, hard: bool = False) -> None:
        """Cancel what runs, give it back without using an attempt, close; also while a drain is under way.

        With `hard` nothing is waited for: what does not end at once is given back under its hands.
        """
        self._haste.hurry(hard=hard)
        await self.stop()

    def install_signals(self, loop: asyncio.AbstractEventLoop) -> None:
        """The first SIGTERM or SIGINT drains, the second cancels at once; SIGQUIT writes all stacks to stderr."""
        install_signals(loop, self.ask_to_stop)

    def _ear(self) -> ControlEar:
        outside = self._outside
        desk = WorkerDesk(self, self._revoked, clock=outside.clock)
        answer = self._tell.answering(desk)
        return ControlEar(
            outside.store, answer, worker=self.name, clock=outside.clock, settle=desk.learn, then=desk.act
        )

    def _fail(self, error: BaseException) -> None:
        """A loop that fails stops the worker: half a worker would hold leases without doing its work."""
        self._error = self._error or error
        self._asked.set()
        self._cancel_body()

    def _concurrency(self) -> int:
        return self.settings.concurrency if self._engine is None else self._engine.slots.concurrency

    def _is_ours(self, event: Event) -> bool:
        return getattr(event, "worker", None) == self.name

    def _cancel_body(self) -> None:
        """Whoever is inside `async with` would wait for a worker that works no more."""
        if self._body is not None and not self._cancelled_body:
            self._cancelled_body = self._body.cancel()

    async def _shut_down(self, engine: Engine, longest: Micros) -> None:
        self._tell.stopping(self.running, timedelta(microseconds=longest))
        try:
            await end_loops(engine, () if self._loops is None else self._loops.leasing, self._outside.clock)
            await drain(engine, longest, self._haste, self._outside.clock)
        finally:
            try:
                await self._close(engine)
            finally:
                self._tell.stopped(self._error)

    async def _close(self, engine: Engine) -> None:
        if self._loops is not None:
            self._loops.cancel()
        await close_engine(engine)
        await self._stack.aclose()


def _is_the_end(event: Event) -> bool:
    return isinstance(event, WorkerStoppedEvent)
