"""The renewer of leases: blocking, with a connection of its own, for one thread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from stem.adapters.redis.changes import dump
from stem.adapters.redis.connection import time_for
from stem.adapters.redis.driver import BlockingClient, NoScript, Value, blocking_client
from stem.adapters.redis.errors import DRIVER_ERRORS, translate
from stem.adapters.redis.route import Route
from stem.adapters.redis.scripts import keys_of, script
from stem.clock import Clock
from stem.contracts.store import LeaseVerdict, Renewal
from stem.errors import StoreUnavailable

__all__ = ["RedisKeeper"]

_VERDICTS: Final = {
    "K": LeaseVerdict.KEPT,
    "L": LeaseVerdict.LOST,
    "C": LeaseVerdict.CANCEL,
    "T": LeaseVerdict.TERMINATE,
}
_MOST: Final = 1_000
_PATIENCE: Final = 1.0
"""Seconds: short, so that a renewal that fails is tried again well before the lease ends."""


class RedisKeeper:
    """Renews leases in place. The connection is opened at the first use, and anew after an error."""

    def __init__(self, route: Route, namespace: str, clock: Clock) -> None:
        self._route = route
        self._keys = keys_of(namespace)
        self._clock = clock
        self._client: BlockingClient | None = None

    def renew(self, renewals: Sequence[Renewal]) -> list[LeaseVerdict]:
        """One verdict per renewal, in order; up to 1,000 are extended in one script.

        Raises `StoreUnavailable` when the server does not answer within a second; the next call connects again.
        """
        verdicts: list[LeaseVerdict] = []
        for at in range(0, len(renewals), _MOST):
            verdicts += self._renew(renewals[at : at + _MOST])
        return verdicts

    def close(self) -> None:
        """Give the connection back; may be called twice."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _renew(self, renewals: Sequence[Renewal]) -> list[LeaseVerdict]:
        rows = dump([[r.fence.task_id, r.fence.counter, r.fence.nonce, r.lease] for r in renewals])
        try:
            letters: bytes = self._evaluate(time_for(self._clock), rows)
        except DRIVER_ERRORS as error:
            self.close()
            self._route.heed(error)
            raise _unavailable(error, self._route.place) from error
        return [_VERDICTS[letter] for letter in letters.decode()]

    def _evaluate(self, *arguments: str) -> Any:
        if self._client is None:
            self._client = blocking_client(self._route, min(_PATIENCE, self._route.place.timeout))
        wanted = script("renew")
        given: tuple[Value, ...] = (len(self._keys), *self._keys, *arguments)
        try:
            return self._client.execute_command("EVALSHA", wanted.sha, *given)
        except NoScript:
            return self._client.execute_command("EVAL", wanted.text, *given)


def _unavailable(error: BaseException, place: object) -> StoreUnavailable:
    """Whatever it was, the lease was not extended, and it will be tried again."""
    found = translate(error, place)
    if isinstance(found, StoreUnavailable):
        return found
    return StoreUnavailable(expected=found.expected, found=found.found, do=found.do)
