"""`SyncStem`: the same client for blocking code, through one background event loop; not a second implementation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

from typing_extensions import Unpack

from stem.app import Stem
from stem.client.portal import Portal
from stem.clock import Clock
from stem.ids import new_id
from stem.routing.rules import Routing
from stem.signals.hub import Signals
from stem.signals.middleware import Middleware
from stem.stores.settings import Keep
from stem.tasks.call import TaskCall
from stem.tasks.encoders import PLAIN, Encoders
from stem.tasks.handle import Copies, TaskHandle
from stem.tasks.options import EnqueueOptions
from stem.tasks.status import Progress, TaskStatus

if TYPE_CHECKING:
    from stem.contracts.store import Store
    from stem.registry import Registry

__all__ = ["SyncBatch", "SyncCopies", "SyncStem", "SyncTaskHandle"]

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True, slots=True)
class SyncTaskHandle(Generic[R_co]):
    """A task that was accepted; the blocking twin of `TaskHandle`."""

    _handle: TaskHandle[R_co] = field(repr=False)
    _portal: Portal = field(repr=False, compare=False)

    @property
    def id(self) -> str:
        """The task's id."""
        return self._handle.id

    @property
    def duplicate(self) -> bool:
        """Whether an earlier task holds the same unique key, and this is its handle."""
        return self._handle.duplicate

    def result(self, *, timeout: timedelta | None = None) -> R_co:
        """Block until the result is recorded; see `TaskHandle.result`."""
        return self._portal.run(self._handle.result(timeout=timeout))

    def status(self) -> TaskStatus:
        """The status now; see `TaskHandle.status`."""
        return self._portal.run(self._handle.status())

    def progress(self) -> Iterator[Progress]:
        """Block for each progress report until the task has ended; see `TaskHandle.progress`."""
        reports = aiter(self._handle.progress())
        while (report := self._portal.run(_next_or_none(reports))) is not None:
            yield report

    def cancel(self, *, terminate: bool = False) -> TaskStatus:
        """Cancel it; see `TaskHandle.cancel`."""
        return self._portal.run(self._handle.cancel(terminate=terminate))

    def copies(self, *, timeout: timedelta | None = None) -> SyncCopies[R_co]:
        """Block until the broadcast is handed out; see `TaskHandle.copies`."""
        return SyncCopies(self._portal.run(self._handle.copies(timeout=timeout)), self._portal)


class SyncCopies(Mapping[str, SyncTaskHandle[R_co]]):
    """The copies of a broadcast, by worker; the blocking twin of `Copies`."""

    def __init__(self, copies: Copies[R_co], portal: Portal) -> None:
        self._copies = copies
        self._portal = portal

    def __getitem__(self, worker: str, /) -> SyncTaskHandle[R_co]:
        return SyncTaskHandle(self._copies[worker], self._portal)

    def __iter__(self) -> Iterator[str]:
        return iter(self._copies)

    def __len__(self) -> int:
        return len(self._copies)

    def result(self, *, timeout: timedelta | None = None) -> dict[str, R_co]:
        """Every worker's result; see `Copies.result`."""
        return self._portal.run(self._copies.result(timeout=timeout))

    def status(self) -> dict[str, TaskStatus]:
        """Every copy's status."""
        return self._portal.run(self._copies.status())


class SyncBatch(Sequence[SyncTaskHandle[R_co]], Generic[R_co]):
    """The handles of a batch, in the order of its calls; the blocking twin of `Batch`."""

    def __init__(self, id: str, handles: Sequence[SyncTaskHandle[R_co]]) -> None:  # noqa: A002 - the public name of it
        self.id = id
        self._handles = tuple(handles)

    @overload
    def __getitem__(self, index: int) -> SyncTaskHandle[R_co]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[SyncTaskHandle[R_co]]: ...
    def __getitem__(self, index: int | slice) -> SyncTaskHandle[R_co] | Sequence[SyncTaskHandle[R_co]]:
        return self._handles[index]

    def __len__(self) -> int:
        return len(self._handles)

    def result(self, *, timeout: timedelta | None = None) -> list[R_co]:
        """All results, in order; `timeout` is for each."""
        return [handle.result(timeout=timeout) for handle in self._handles]

    def status(self) -> list[TaskStatus]:
        """All statuses, in order."""
        return [handle.status() for handle in self._handles]


class SyncStem:
    """A client for blocking code (Flask, Django, scripts); may be used from several threads at once.

    Open it with `with SyncStem(url) as stem:`, or keep it open for the life of the process and `close()` it at the end.
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
        middleware: Sequence[Middleware] = (),
        clock: Clock | None = None,
        wrap: Callable[[Store], Store] | None = None,
    ) -> None:
        self._stem = Stem(
            url,
            broker=broker,
            results=results,
            namespace=namespace,
            keep=keep,
            defaults=defaults,
            payload_limit=payload_limit,
            routing=routing,
            encoders=encoders,
            middleware=middleware,
            clock=clock,
            wrap=wrap,
        )
        self._portal = Portal()

    def __repr__(self) -> str:
        return f"Sync{self._stem!r}"

    @property
    def signals(self) -> Signals:
        """Where to connect handlers; they are called in this client's background threads. See `Stem.signals`."""
        return self._stem.signals

    def __enter__(self) -> Self:
        self._portal.start()
        try:
            self._portal.run(self._stem.__aenter__())
        except BaseException:
            self._portal.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def open(self) -> Self:
        """Connect; the same as entering the context."""
        return self.__enter__()

    def close(self) -> None:
        """Send what is queued and close every connection; may be called twice."""
        if self._portal.is_running:
            try:
                self._portal.run(self._stem.aclose())
            finally:
                self._portal.stop()

    def enqueue(self, call: TaskCall[R], /, *, connection: object | None = None) -> SyncTaskHandle[R]:
        """Store the call; see `Stem.enqueue`.

        The `connection` is one of psycopg 3 on PostgreSQL, of sqlite3 on SQLite, or an SQLAlchemy `Session` or
        `Connection` over one of them. It is used in the caller's thread.
        """
        if connection is None:
            return SyncTaskHandle(self._portal.run(self._stem.enqueue(call)), self._portal)
        (handle,) = self._portal.run(self._stem.prepare_within([call])).write_blocking(connection)
        return SyncTaskHandle(handle, self._portal)

    def enqueue_many(self, calls: Sequence[TaskCall[R]], /, *, connection: object | None = None) -> SyncBatch[R]:
        """Store all calls; see `Stem.enqueue_many`, and `enqueue` for the `connection`."""
        if connection is None:
            batch = self._portal.run(self._stem.enqueue_many(calls))
            return self._batch(batch.id, batch)
        batch_id = new_id()
        joining = self._portal.run(self._stem.prepare_within(calls, root=batch_id))
        return self._batch(batch_id, joining.write_blocking(connection))

    def enqueue_and_wait(self, call: TaskCall[R], /, *, timeout: timedelta | None = None) -> R:
        """Store the call and block for its result; see `Stem.enqueue_and_wait`."""
        return self._portal.run(self._stem.enqueue_and_wait(call, timeout=timeout))

    def enqueue_named(
        self,
        name: str,
        arguments: Mapping[str, object],
        /,
        *,
        registry: Registry | None = None,
        **options: Unpack[EnqueueOptions],
    ) -> SyncTaskHandle[Any]:
        """Enqueue by name; see `Stem.enqueue_named`."""
        handle = self._portal.run(self._stem.enqueue_named(name, arguments, registry=registry, **options))
        return SyncTaskHandle(handle, self._portal)

    def handle(self, task_id: str, /) -> SyncTaskHandle[Any]:
        """The handle for an id; see `Stem.handle`."""
        return SyncTaskHandle(self._stem.handle(task_id), self._portal)

    def handle_of(self, task_id: str, decode: Callable[[bytes], R], /) -> SyncTaskHandle[R]:
        """The handle for an id, with the decoder of its results."""
        return SyncTaskHandle(self._stem.handle_of(task_id, decode), self._portal)

    def _batch(self, batch_id: str, handles: Sequence[TaskHandle[R]]) -> SyncBatch[R]:
        return SyncBatch(batch_id, [SyncTaskHandle(handle, self._portal) for handle in handles])

    def preload(self, definitions: ModuleType, /) -> None:
        """Import models and build validators now; see `Stem.preload`."""
        self._stem.preload(definitions)


async def _next_or_none(reports: AsyncIterator[Progress]) -> Progress | None:
    return await anext(reports, None)
