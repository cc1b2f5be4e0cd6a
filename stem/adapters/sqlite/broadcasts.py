"""Channels. The file has one writer at a time, so that positions grow in the order of the commits."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from stem.adapters.sqlite.connection import transaction
from stem.adapters.sqlite.rows import cut, dump
from stem.adapters.sqlite.statements import execute
from stem.clock import Clock, Micros
from stem.contracts.broadcasts import Broadcast

__all__ = ["current_position", "hear_broadcasts", "say"]


def say(
    connection: sqlite3.Connection, channel: str, body: bytes, *, message_id: str, keep: Micros, clock: Clock
) -> bool:
    """Keep a message for the listeners; whether it is new."""
    with transaction(connection):
        now = clock.now()
        execute(connection, "broadcasts/forget_one", id=message_id, now=now)
        parameters = {"id": message_id, "channel": channel, "body": body, "now": now, "keep_until": cut(now + keep)}
        return bool(execute(connection, "broadcasts/say", **parameters).rowcount)


def current_position(connection: sqlite3.Connection) -> int:
    """The position of the latest message that there ever was."""
    position: int = execute(connection, "broadcasts/position").fetchone()[0]
    return position


def hear_broadcasts(
    connection: sqlite3.Connection, channels: Sequence[str], *, after: int, limit: int, now: Micros
) -> tuple[Broadcast, ...]:
    """The kept messages behind a position, in order."""
    rows = execute(connection, "broadcasts/hear", channels=dump(channels), after=after, limit=limit, now=now)
    return tuple(
        Broadcast(position=position, id=id_, channel=channel, body=body, at=at)
        for position, id_, channel, body, at in rows.fetchall()
    )
