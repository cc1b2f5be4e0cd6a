"""A store's way to the server: scripts by their hash, each kind on a line of its own, errors in Stem's words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import IntEnum
from typing import Any, Final

from stem.adapters.redis.driver import Value, client
from stem.adapters.redis.errors import DRIVER_ERRORS, closed, is_moved_role, translate
from stem.adapters.redis.functions import Caller
from stem.adapters.redis.lines import Line, Told
from stem.adapters.redis.route import Route
from stem.adapters.redis.scripts import Script, keys_of, script
from stem.adapters.redis.url import Place
from stem.clock import Clock, SystemClock
from stem.contracts.retention import Retention
from stem.errors import ConfigError, StemError, StoreUnavailable

__all__ = ["Kind", "Server", "time_for"]


class Kind(IntEnum):
    """What a call is about. Calls of one kind keep their order; none waits for those of another kind."""

    OUTCOMES = 0
    NEWS = 1
    LEASES = 2
    QUESTIONS = 3


class Server:
    """Calls scripts of one namespace, and single commands. Every script may be run twice with the same end."""

    def __init__(self, place: Place, namespace: str, clock: Clock, retention: Retention | None = None) -> None:
        self.place = place
        self.keys: Final = keys_of(namespace)
        self.route: Final = Route(place, self.keys[0])
        self.channel: Final = f"{{stem:{namespace}}}:notices"
        self._ears: Final = f"{{stem:{namespace}}}:handed:"
        self._clock = clock
        self._retention = retention or Retention()
        self._scripts: dict[str, Script] = {}
        self._closed = False
        self._client = client(self.route)
        self._caller = Caller(self.keys)
        self._lines = tuple(Line(self.route) for _ in Kind)

    async def run(self, name: str, *arguments: Value, kind: Kind = Kind.QUESTIONS) -> Any:
        """What the script `lua/<name>.lua` answers to the time and these arguments.

        Raises `StemError`s only; after `StoreUnavailable` it may have run.
        """
        wanted, line = self._scripts.get(name) or self._learn(name), self._lines[kind]
        given = (time_for(self._clock), *arguments)
        return await self._guard(lambda: self._caller.call(line, wanted, given))

    def ear(self, origin: str) -> str:
        """The channel on which one store hears what its request that stands is given."""
        return f"{self._ears}{origin}"

    def send(self, name: str, *arguments: Value, kind: Kind, told: Told) -> bool:
        """Run it over an open connection, and say whether there is one. `told` is called with the answer, or with an
        error: then it may have run, and `run` has to be asked again, or says what is wrong."""
        if self._closed:
            return False
        wanted, line = self._scripts.get(name) or self._learn(name), self._lines[kind]
        given = (time_for(self._clock), *arguments)
        return self._caller.send(line, wanted, given, told, first_to_others=kind is not Kind.LEASES)

    async def command(self, *words: Value) -> Any:
        """What the server answers to one command. Raises `StemError`s only."""
        return await self._guard(lambda: self._client.execute_command(*words))

    async def aclose(self) -> None:
        """Close all connections; may be called twice."""
        self._closed = True
        self._hang_up()
        await self._client.aclose()
        await self._client.connection_pool.disconnect()

    async def _guard(self, work: Callable[[], Awaitable[Any]], *, again: bool = True) -> Any:
        if self._closed:
            raise closed(self.place)
        try:
            return await work()
        except UnicodeEncodeError as error:
            raise ConfigError(
                expected="text that UTF-8 can hold", found=str(error), do="Correct the id, the name or the filter."
            ) from error
        except DRIVER_ERRORS as error:
            if not (await self._look_elsewhere(error) and again):
                raise _in_words(error, self.place) from error
        return await self._guard(work, again=False)

    async def _look_elsewhere(self, error: BaseException) -> bool:
        """Let go of connections to a server that is not the right one any more; whether it said which one is."""
        is_named = self.route.heed(error)
        if is_named or is_moved_role(error):
            self._hang_up()
            await self._client.connection_pool.disconnect(inuse_connections=False)
        return is_named

    def _hang_up(self) -> None:
        self._caller.begin_anew()
        for line in self._lines:
            line.hang_up()

    def _learn(self, name: str) -> Script:
        """The script, from now on without a look at how long records are kept."""
        return self._scripts.setdefault(name, script(name, self._retention))


def time_for(clock: Clock) -> str:
    """The time argument of a script: empty lets the server's own clock decide; a clock that was injected is told."""
    return "" if isinstance(clock, SystemClock) else str(clock.now())


def _in_words(error: BaseException, place: Place) -> StemError:
    """A server that can be written when a store is opened, and is a replica later, will be followed by a primary."""
    if not is_moved_role(error):
        return translate(error, place)
    return StoreUnavailable(
        expected=f"a primary that can be written: {place}",
        found="READONLY, as a server says that became a replica",
        do="Wait for the failover to end; calls are sent again.",
    )
