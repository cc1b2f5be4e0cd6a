"""The renewer of leases: blocking, with a connection of its own, for one thread."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Final

from stem.adapters.sqlite.connection import Place, connect_blocking, transaction
from stem.adapters.sqlite.errors import translate
from stem.adapters.sqlite.rows import dump
from stem.adapters.sqlite.statements import execute
from stem.clock import Clock
from stem.contracts.store import LeaseVerdict, Renewal

__all__ = ["SqliteKeeper"]

_PATIENCE: Final = 1.0
"""Seconds to wait for the write lock: short, so that a renewal that fails is tried again well before the lease ends."""


class SqliteKeeper:
    """Renews leases in place. The connection is opened at the first use, and anew after an error."""

    def __init__(self, place: Place, clock: Clock) -> None:
        self._place = place
        self._clock = clock
        self._connection: sqlite3.Connection | None = None

    def renew(self, renewals: Sequence[Renewal]) -> list[LeaseVerdict]:
        """One verdict per renewal, in order; all of them are extended in one transaction.

        Raises `StoreUnavailable` when the file cannot be used or stays locked; the next call connects again.
        """
        if not renewals:
            return []
        try:
            return self._renew(renewals)
        except sqlite3.Error as error:
            self.close()
            raise translate(error, str(self._place.path)) from error

    def close(self) -> None:
        """Give the connection back; may be called twice."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _renew(self, renewals: Sequence[Renewal]) -> list[LeaseVerdict]:
        if self._connection is None:
            self._connection = connect_blocking(self._place, busy=_PATIENCE)
        rows = dump([[r.fence.task_id, r.fence.nonce, r.fence.counter, r.lease, i] for i, r in enumerate(renewals)])
        with transaction(self._connection):
            execute(self._connection, "renew", rows=rows, now=self._clock.now())
            (text,) = execute(self._connection, "renewed", rows=rows).fetchone()
        kept = {place: _verdict(bool(cancel), bool(terminate)) for place, cancel, terminate in json.loads(text)}
        return [kept.get(place, LeaseVerdict.LOST) for place in range(len(renewals))]


def _verdict(cancel: bool, terminate: bool) -> LeaseVerdict:
    if terminate:
        return LeaseVerdict.TERMINATE
    return LeaseVerdict.CANCEL if cancel else LeaseVerdict.KEPT
