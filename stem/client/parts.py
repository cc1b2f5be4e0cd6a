"""What an open client consists of, and how it is opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stem.client.control import Controller
from stem.client.copies import refuse_broadcast
from stem.client.enqueue import Publisher
from stem.client.home import Home
from stem.client.inspect import Inspector
from stem.client.operate import Operator
from stem.client.wait import Waiter, result_of
from stem.contracts.queries import StoredResult
from stem.contracts.store import Store
from stem.signals.hub import Signals
from stem.signals.middleware import OnEnqueue
from stem.stores.committer import Committer
from stem.stores.open import open_split
from stem.stores.settings import ClientSettings
from stem.tasks.encoders import Encoders, name_of
from stem.tasks.handle import HandleSource

__all__ = ["Parts", "open_parts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """An open client. It belongs to one event loop of one process."""

    home: Home
    store: Store
    committer: Committer
    publisher: Publisher
    waiter: Waiter
    inspector: Inspector
    operator: Operator
    controller: Controller
    encoders: Encoders

    def read_result(self, task_id: str, stored: StoredResult) -> bytes:
        """The result as its worker encoded it. Raises the error with which the task ended, and `BroadcastError`."""
        result = result_of(task_id, stored)
        if name_of(result) is None:
            return result
        refuse_broadcast(task_id, result)
        return self.encoders.read(result)

    async def aclose(self) -> None:
        """Send what is queued, then close every connection."""
        await self.waiter.aclose()
        await self.committer.aclose()
        await self.store.aclose()


async def open_parts(
    settings: ClientSettings, source: HandleSource, *, middleware: Sequence[OnEnqueue], signals: Signals
) -> Parts:
    """Connect. `source` answers for the handles that are made. Raises the `StoreError`s of the engine."""
    clock = settings.options.clock
    store = await open_split(settings.places.broker, settings.places.results, settings.options)
    if settings.wrap is not None:
        store = settings.wrap(store)
    committer = Committer(store, clock=clock)
    inspector = Inspector(store, committer)
    controller = Controller(store, clock=clock)
    waiter = Waiter(store, clock=clock)
    publisher = Publisher(
        committer,
        source,
        defaults=settings.defaults,
        payload_limit=settings.payload_limit,
        expect=waiter.expect,
        router=settings.router,
        encoders=settings.encoders,
        middleware=middleware,
        signals=signals,
    )
    return Parts(
        home=Home.here(),
        store=store,
        committer=committer,
        publisher=publisher,
        waiter=waiter,
        inspector=inspector,
        operator=Operator(store, committer, inspector, controller),
        controller=controller,
        encoders=settings.encoders,
    )
