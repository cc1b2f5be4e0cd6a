"""Locks. One counter gives the fences of all of them, so that a lock that was released leaves nothing behind."""

from __future__ import annotations

import sqlite3

from stem.adapters.sqlite.connection import transaction
from stem.adapters.sqlite.rows import cut
from stem.adapters.sqlite.statements import execute
from stem.clock import Clock, Micros
from stem.contracts.locks import Lock

__all__ = ["acquire_lock", "find_lock", "release_lock", "renew_lock"]


def acquire_lock(connection: sqlite3.Connection, key: str, owner: str, ttl: Micros, clock: Clock) -> Lock | None:
    """Hold the lock if it is free, or this owner's already."""
    with transaction(connection):
        now = clock.now()
        got = execute(connection, "locks/acquire", key=key, owner=owner, until=cut(now + ttl), now=now).rowcount
        if not got:
            return None
        execute(connection, "locks/count", key=key)
        return find_lock(connection, key, now)


def renew_lock(connection: sqlite3.Connection, key: str, owner: str, ttl: Micros, clock: Clock) -> Lock | None:
    """Hold it longer, if it is still this owner's."""
    with transaction(connection):
        now = clock.now()
        kept = execute(connection, "locks/renew", key=key, owner=owner, until=cut(now + ttl), now=now).rowcount
        return find_lock(connection, key, now) if kept else None


def release_lock(connection: sqlite3.Connection, key: str, owner: str, now: Micros) -> bool:
    """Give it up, if it is still this owner's."""
    return bool(execute(connection, "locks/release", key=key, owner=owner, now=now).rowcount)


def find_lock(connection: sqlite3.Connection, key: str, now: Micros) -> Lock | None:
    """Who holds it."""
    row = execute(connection, "locks/find", key=key, now=now).fetchone()
    return None if row is None else Lock(key=row[0], owner=row[1], fence=row[2], until=row[3])
