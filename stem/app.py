"""`Stem`: the composition root. Opens a store from a URL and ties client and worker to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from typing_extensions import Unpack

from stem.answers import Answers
from stem.clock import Clock, SystemClock
from stem.contracts.adapter import StoreOptions
from stem.errors import UnknownTask
from stem.routing.choose import choose_router
from stem.routing.rules import Routing
from stem.signals.hub import Signals
from stem.signals.middleware import Middleware, stack_of
from stem.stores.settings import ClientSettings, Keep, choose_places, retention_of
from stem.tasks.call import TaskCall
from stem.tasks.definition import TaskDefinition
from stem.tasks.encoders import PLAIN, Encoders
from stem.tasks.handle import TaskHandle
from stem.tasks.keys import asks_for_keys, refuse_templates, with_keys
from stem.tasks.options import EnqueueOptions, merge_options

if TYPE_CHECKING:
    from stem.client.batch import Batch
    from stem.client.control import Controller
    from stem.client.events import QueueEvents
    from stem.client.inspect import Inspector
    from stem.client.operate import Operator
    from stem.client.parts import Parts
    from stem.client.within import Joining
    from stem.contracts.store import Store
    from stem.registry import Registry
    from stem.worker.worker import Worker

__all__ = ["Lifespan", "Stem"]

R = TypeVar("R")

Lifespan = Callable[[], AbstractAsyncContextManager[object]]


class Stem(Answers):
    """One application's door to its tasks. Open it with `async with`; it belongs to the event loop that opened it.

    `url` defaults to the environment's STEM_URL, else `sqlite:///stem.db`. With `broker` and `results` the messages are
    on one engine and the results on another. `keep` is how long records are kept after their end. `defaults` are
    options below those of every definition. `payload_limit` is the largest encoded arguments, in bytes. `routing` is
    the rules by which tasks get their queues, or the YAML file with them; it defaults to STEM_ROUTING. `encoders` are
    for the stored form of arguments and results. `lifespan`
    opens what each worker process needs; its value is `ctx.state`. `middleware` takes part in what is enqueued and
    run, the first one outermost. `wrap` is given the store that was opened and
    answers the one to use: for tests, see `stem.testing.faults`. Raises `ConfigError` for what does not fit; entering
    raises `StoreError`s of the engine.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        broker: str | None = None,
        results: str | None = None,
        namespace: str = "stem",
        keep: Keep | None = None,
        defaults: EnqueueOptions | None = None,
        payload_limit: int = 1024 * 1024,
        routing: Routing | Path | str | None = None,
        encoders: Encoders = PLAIN,
        lifespan: Lifespan | None = None,
        middleware: Sequence[Middleware] = (),
        clock: Clock | None = None,
        wrap: Callable[[Store], Store] | None = None,
    ) -> None:
        settings = ClientSettings(
            places=choose_places(url, broker=broker, results=results, environment=os.environ),
            options=StoreOptions(
                clock=clock or SystemClock(), namespace=namespace, retention=retention_of(keep or Keep())
            ),
            defaults=defaults or EnqueueOptions(),
            payload_limit=payload_limit,
            router=choose_router(routing, os.environ),
            encoders=encoders,
            wrap=wrap,
        )
        refuse_templates(settings.defaults)
        super().__init__(settings)
        self._lifespan = lifespan
        self._middleware = stack_of(middleware)
        self._signals = Signals(self._settings.options.clock)

    def __repr__(self) -> str:
        return f"Stem({self._settings.places})"

    async def __aenter__(self) -> Self:
        before = self._parts
        if before is None or before.home.is_gone:
            parts = await self._start()
            if self._parts is before:
                self._parts = parts
                self._signals.open()
            else:  # somebody else opened it meanwhile
                await parts.aclose()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Deliver events, send what is queued, each for at most 5 s, then close every connection; may be called twice.

        In a fork, and after its loop was closed, the client is only let go of: what it has belongs elsewhere.
        """
        parts = self._parts
        if parts is not None and not parts.home.is_gone:
            parts.home.check()
            await self._signals.finish()
            if self._parts is parts:
                self._parts = None
                await parts.aclose()
                self._signals.close()
        elif parts is not None:
            self._signals.forget()
            self._parts = None

    async def enqueue(self, call: TaskCall[R], /, *, connection: object | None = None) -> TaskHandle[R]:
        """Store the call; when this returns, the task reaches exactly one terminal state, whatever process dies.

        Raises `EnqueueError`s and `StoreError`s, after which nothing was stored; `StoreUnavailable("outcome
        unknown")` when the store did not answer for 30 s.

        With a `connection` in whose transaction the caller is, the task is part of that transaction: committed with
        it, or never there. On PostgreSQL it is one of asyncpg or an asynchronous one of psycopg 3, on SQLite one of
        aiosqlite, on both an SQLAlchemy `AsyncSession` or `AsyncConnection`. Raises `UnusableConnection` for any
        other, for another database, and where no transaction is open; after any error the transaction is as before.
        """
        if connection is None:
            return await self._open.publisher.publish(call)
        (handle,) = await (await self.prepare_within([call])).write(connection)
        return handle

    async def enqueue_many(self, calls: Sequence[TaskCall[R]], /, *, connection: object | None = None) -> Batch[R]:
        """Store all calls, in as few commits as there can be; each is accepted on its own.

        With a `connection`, see `enqueue`: all of them are part of its transaction, or, after an error, none.
        """
        from stem.client.batch import Batch
        from stem.ids import new_id

        batch_id = new_id()
        if connection is None:
            return Batch(batch_id, await self._open.publisher.publish_all(calls, root=batch_id))
        return Batch(batch_id, await (await self.prepare_within(calls, root=batch_id)).write(connection))

    async def enqueue_and_wait(self, call: TaskCall[R], /, *, timeout: timedelta | None = None) -> R:
        """Store the call and wait for its result. Raises what `enqueue` and `TaskHandle.result` raise."""
        handle = await self.enqueue(call)
        return await handle.result(timeout=timeout)

    async def enqueue_named(
        self,
        name: str,
        arguments: Mapping[str, object],
        /,
        *,
        registry: Registry | None = None,
        **options: Unpack[EnqueueOptions],
    ) -> TaskHandle[Any]:
        """Enqueue what is not known before run time.

        With a `registry` the arguments are checked by its definition, or `UnknownTask` is raised; without one,
        the map is the payload as it is, and the worker checks it.
        """
        return await self.enqueue(named_call(name, arguments, registry, options))

    @property
    def signals(self) -> Signals:
        """Where to connect handlers for what happens to tasks and workers; also before the client is open."""
        return self._signals

    @property
    def inspect(self) -> Inspector:
        """Questions of an operator, answered by the store."""
        return self._open.inspector

    @property
    def operate(self) -> Operator:
        """What operators do to queues and to many tasks at once: pause, purge, replay, discard."""
        return self._open.operator

    @property
    def control(self) -> Controller:
        """Commands for live workers, and their answers: ping, stats, inspect, drain, stop."""
        return self._open.controller

    def queue_events(self, queue: str, /) -> QueueEvents:
        """The events of a queue: what applications tell everybody who listens, beside the tasks."""
        from stem.client.events import QueueEvents

        return QueueEvents(self._open.store, queue)

    def worker(
        self,
        registry: Registry,
        *,
        queues: Sequence[str] | Mapping[str, int] = ("default",),
        concurrency: int = 100,
        min_concurrency: int | None = None,
        max_wait: timedelta = timedelta(seconds=1),
        name: str | None = None,
        drain: timedelta = timedelta(seconds=25),
        children: int | None = None,
        max_tasks_per_child: int | None = None,
        max_memory_per_child: int | None = None,
        middleware_limit: timedelta = timedelta(seconds=30),
    ) -> Worker:
        """A worker in this process: `async with stem.worker(registry): ...`.

        `queues` are names, or names with weights; `concurrency` bounds what runs at once; with `min_concurrency` the
        worker begins with so many places, and grows towards that bound while due tasks wait longer than `max_wait`.
        `drain` is how long a stop waits for what runs. Tasks with `run_in="process"` run in at most `children` child
        processes (the number of processors when not given), each replaced after so many tasks or bytes. The
        middleware around an attempt may take `middleware_limit` before the handler, and as long again after it. Raises
        `ConfigError` for what this worker could not run.
        """
        from stem.worker.settings import WorkerSettings
        from stem.worker.worker import Worker

        weights = dict(queues) if isinstance(queues, Mapping) else dict.fromkeys(queues, 1)
        router = self._settings.router
        if router is not None:
            weights = {router.queue(queue): weight for queue, weight in weights.items()}
        settings = WorkerSettings(
            queues=weights,
            concurrency=concurrency,
            min_concurrency=min_concurrency,
            max_wait=max_wait,
            drain=drain,
            max_tasks_per_child=max_tasks_per_child,
            max_memory_per_child=max_memory_per_child,
            middleware_limit=middleware_limit,
        )
        if name is not None:
            settings = replace(settings, name=name)
        if children is not None:
            settings = replace(settings, children=children)
        parts = self._open
        return Worker(
            parts.store,
            parts.committer,
            registry,
            settings,
            clock=self._settings.options.clock,
            publisher=parts.publisher,
            lifespan=self._lifespan,
            encoders=self._settings.encoders,
            middleware=self._middleware,
            signals=self._signals,
        )

    def preload(self, definitions: ModuleType, /) -> None:
        """Import the models of a generated module and build their validators now, not at the first request."""
        for value in vars(definitions).values():
            if isinstance(value, TaskDefinition):
                cast("TaskDefinition[..., object]", value).load()

    async def prepare_within(self, calls: Sequence[TaskCall[R]], /, *, root: str = "") -> Joining[R]:
        """The calls, ready to be written into a transaction of the caller; see `enqueue`."""
        from stem.client.within import Joining, joiner_of
        from stem.stores.open import scheme_of

        parts = self._open
        return Joining(
            await joiner_of(parts.store, scheme_of(self._settings.places.broker)),
            *await parts.publisher.ready(calls, root=root),
        )

    async def _start(self) -> Parts:
        from stem.client.parts import open_parts

        return await open_parts(self._settings, self, middleware=self._middleware.on_enqueue, signals=self._signals)


def named_call(
    name: str, arguments: Mapping[str, object], registry: Registry | None, options: EnqueueOptions
) -> TaskCall[Any]:
    """A call of a task by its name."""
    from stem.codec import dump_json, load_value

    if registry is None:
        call = TaskCall(name, 1, "", dump_json(dict(arguments)), merge_options(options), options, load_value)
        return with_keys(call, arguments) if asks_for_keys(call.options) else call
    binding = registry.get(name)
    if binding is None:
        raise UnknownTask(
            expected=f"a task among {', '.join(registry.names) or 'none'}",
            found=f"'{name}'",
            do="Correct the name, or register its handler.",
        )
    return binding.definition.call_named(arguments, options)
