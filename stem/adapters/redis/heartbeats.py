"""Signs of life, and what the first of them makes due."""

from __future__ import annotations

import json
from typing import Any, Final

from stem.adapters.redis.changes import dump
from stem.adapters.redis.connection import Server
from stem.adapters.redis.queries import ask_time
from stem.adapters.redis.scripts import KEYS
from stem.clock import Micros
from stem.contracts.heartbeats import Heartbeat, WorkerRecord, restored, stored

__all__ = ["list_workers", "record_beat", "retire_worker"]

_MISSED: Final = 3
_SEEN_FOR: Final[Micros] = 3_600_000_000
_WORKERS: Final = KEYS.index("workers")


async def record_beat(server: Server, origin: str, heartbeat: Heartbeat) -> frozenset[str]:
    """Record the sign of life; the queues whose parked messages somebody new may be able to run."""
    told = {name: value for name, value in stored(heartbeat).items() if value is not None}
    queues = await server.run("beat", server.channel, origin, dump(told), _SEEN_FOR)
    return frozenset(queue.decode() for queue in queues)


async def retire_worker(server: Server, worker: str) -> None:
    """Forget a worker."""
    await server.command("HDEL", server.keys[_WORKERS], worker)


async def list_workers(server: Server) -> tuple[WorkerRecord, ...]:
    """Every worker seen in the last hour, by name."""
    now = await ask_time(server)
    found = await server.command("HVALS", server.keys[_WORKERS])
    records = [_record(json.loads(text), now) for text in found]
    seen = [record for record in records if now - record.last_seen <= _SEEN_FOR]
    return tuple(sorted(seen, key=lambda record: record.heartbeat.worker))


def _record(kept: dict[str, Any], now: Micros) -> WorkerRecord:
    heartbeat = restored(kept)
    first_seen, last_seen = int(kept["first_seen"]), int(kept["last_seen"])
    late = now - last_seen > _MISSED * heartbeat.every
    return WorkerRecord(heartbeat=heartbeat, first_seen=first_seen, last_seen=last_seen, late=late)
