"""What a worker will need, made ready before there is work: connections, and the plans of its statements."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from stem.adapters.postgres.glance import lease_messages
from stem.adapters.postgres.line import Line
from stem.adapters.postgres.statements import Book
from stem.adapters.postgres.write import Writing
from stem.contracts.heartbeats import Heartbeat
from stem.contracts.store import LeaseRequest
from stem.errors import StemError
from stem.ids import new_id

__all__ = ["warm_up"]


async def warm_up(leases: Line, fenced: Line, book: Book, heartbeat: Heartbeat) -> None:
    """Lease nothing for a worker, and record no outcomes. What goes wrong is left to who does it in earnest."""
    nothing = LeaseRequest(
        request_id=new_id(),
        worker=heartbeat.worker,
        fingerprint=heartbeat.fingerprint,
        queues=dict.fromkeys(heartbeat.queues, 1),
        limit=0,
    )
    with suppress(StemError):
        await asyncio.gather(
            leases.run(lambda connection: lease_messages(connection, book, nothing, {})),
            fenced.run(lambda connection: Writing(connection, book, "never").consume([])),
        )
