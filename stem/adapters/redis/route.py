"""The way to the server of a place: its address, or whom to ask for it, and what they answer. Nothing is sent here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from redis.crc import key_slot
from redis.exceptions import MovedError

from stem.adapters.redis.url import Address, Credentials, Place, Via

__all__ = ["Question", "Route"]

_MOST_KNOWN: Final = 100


class Question(NamedTuple):
    """What to ask, of whom, as which user."""

    of: tuple[Address, ...]
    words: tuple[str, ...]
    user: Credentials


class Route:
    """Shared by all connections of a store, in any thread: it remembers who answered and what else there is to ask."""

    def __init__(self, place: Place, key: str) -> None:
        self.place: Final = place
        self._slot = key_slot(key.encode())
        self._known = place.hosts

    @property
    def is_fixed(self) -> bool:
        """Whether there is but one address, which nobody has to be asked for."""
        return self.place.via is Via.SERVER

    @property
    def question(self) -> Question:
        """What to ask before a connection is made, the most promising first."""
        if self.place.via is Via.SENTINEL:
            words = ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.place.service or "")
            return Question(self._known, words, self.place.sentinel_user)
        return Question(self._known, ("CLUSTER", "SLOTS"), self.place.user)

    def learn(self, who: Address, answer: Any) -> Address | None:
        """Where the server is, by this answer; `None` when it does not say. Who answered is asked first from now on."""
        if self.place.via is Via.SENTINEL:
            found = None if answer is None else Address(_text(answer[0]), int(answer[1]))
            self._prefer(who)
            return found
        self._prefer(who, *(_address(node, who) for _, _, *nodes in answer for node in nodes))
        owners = (nodes[0] for first, last, *nodes in answer if first <= self._slot <= last)
        return next((_address(owner, who) for owner in owners), None)

    def heed(self, error: BaseException) -> bool:
        """Learn from an error of a call: ask the node that it names, else others, first. Whether it named one."""
        if self.place.via is Via.CLUSTER and isinstance(error, MovedError):
            host, _, port = str(error).partition(" ")[2].rpartition(":")
            self._prefer(Address(host or self._known[0].host, int(port)))
            return True
        first, *others = self._known
        self._known = (*others, first)
        return False

    def _prefer(self, *addresses: Address) -> None:
        self._known = tuple(_once((*addresses, *self._known)))[:_MOST_KNOWN]


def _address(node: Sequence[Any], who: Address) -> Address:
    """A node of a cluster; without a host it has that of the node which speaks of it."""
    host = _text(node[0])
    return Address(who.host if host in {"", "?"} else host, int(node[1]))


def _text(value: bytes | str | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""


def _once(addresses: Iterable[Address]) -> Iterable[Address]:
    return dict.fromkeys(addresses)
