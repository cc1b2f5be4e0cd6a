"""How a script is called: as a function that the server keeps, where it keeps some, else by its hash."""

from __future__ import annotations

from typing import Any, Final

from stem.adapters.redis.driver import NoMemory, NoRight, NoScript, Refusal, Value
from stem.adapters.redis.lines import Beginning, Line, Told
from stem.adapters.redis.scripts import Script

__all__ = ["Caller"]

_UNKNOWN: Final = "Function not found"
_KNOWN: Final = "already exists"
_NO_COMMAND: Final = "unknown command"


class Caller:
    """Calls the scripts of one store. A server that knows no functions, or lets this user use none, is asked once."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._keys = keys
        self._begun: dict[str, Beginning] = {}
        self._keeps = True

    def begin_anew(self) -> None:
        """The next call may meet another server."""
        self._keeps = True

    async def call(self, line: Line, wanted: Script, given: tuple[Value, ...], *, again: bool = True) -> Any:
        """What it answers. Raises the driver's errors. It may run twice, with the same end."""
        if not self._keeps or wanted.function is None:
            return await self._call_by_hash(line, wanted, given)
        try:
            return await line.call(self._begin("FCALL", wanted.function).command(given))
        except Refusal as error:
            is_known = await self._makes_known(line, wanted, error)
        if is_known and again:
            return await self.call(line, wanted, given, again=False)
        return await self._call_by_hash(line, wanted, given)

    def send(
        self, line: Line, wanted: Script, given: tuple[Value, ...], told: Told, *, first_to_others: bool = False
    ) -> bool:
        """Call it over an open connection, and say whether there is one. An error may mean no more than that the
        server has to be brought the script, which `call` does."""
        word, name = ("FCALL", wanted.function) if self._keeps and wanted.function else ("EVALSHA", wanted.sha)
        return line.send(self._begin(word, name).command(given), told, first_to_others=first_to_others)

    async def _makes_known(self, line: Line, wanted: Script, error: Exception) -> bool:
        """Whether the function is known from now on; else the script will do. Raises what has another reason."""
        if _UNKNOWN in str(error):
            return await self._load(line, wanted)
        if isinstance(error, NoMemory):  # a function is refused whole, a script only when it stores something
            return False
        if not isinstance(error, NoRight) and _NO_COMMAND not in str(error):
            raise error
        self._keeps = False
        return False

    async def _load(self, line: Line, wanted: Script) -> bool:
        try:
            await line.ask("FUNCTION", "LOAD", wanted.functions)
        except NoMemory:
            return False
        except Refusal as error:
            self._keeps = _KNOWN in str(error)
        return self._keeps

    async def _call_by_hash(self, line: Line, wanted: Script, given: tuple[Value, ...]) -> Any:
        try:
            return await line.call(self._begin("EVALSHA", wanted.sha).command(given))
        except NoScript:
            return await line.ask("EVAL", wanted.text, len(self._keys), *self._keys, *given)

    def _begin(self, word: str, name: str) -> Beginning:
        """What is the same in all calls of a function, or of a script by its hash."""
        begun = self._begun.get(name)
        if begun is None:
            begun = self._begun[name] = Beginning(word, name, len(self._keys), *self._keys)
        return begun
