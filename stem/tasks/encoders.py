"""What stored arguments and results look like: plain JSON, or that put through an encoder, such as a compression. Pure.

What is encoded says by which encoder, in its first line, behind a byte with which no JSON begins. So encoded and plain
payloads live beside each other, and what was stored before an encoder came, or after it went, can be read.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final, Protocol

from stem.errors import ConfigError, Undecodable

__all__ = ["PLAIN", "Base64", "Encoder", "Encoders", "Zlib", "name_of"]

_MARK: Final = b"\x00"
_LARGEST: Final = 64 * 1024 * 1024


class Encoder(Protocol):
    """Makes other bytes of bytes, and these again. Its name is stored with what it made, so it must stay the same."""

    @property
    def name(self) -> str: ...

    def encode(self, data: bytes, /) -> bytes | None:
        """The bytes to store; `None` leaves these as they are."""
        ...

    def decode(self, data: bytes, /) -> bytes:
        """What `encode` was given. Raises `ValueError` for anything that it did not make."""
        ...


@dataclass(frozen=True, slots=True)
class Zlib:
    """Compresses what is longer than `over` bytes, where that makes it shorter."""

    over: int = 1_024
    level: int = 6
    name: str = field(default="zlib", init=False)

    def encode(self, data: bytes, /) -> bytes | None:
        """See `Encoder`."""
        if len(data) <= self.over:
            return None
        packed = zlib.compress(data, self.level)
        return packed if len(packed) < len(data) else None

    def decode(self, data: bytes, /) -> bytes:
        """See `Encoder`. What would grow beyond 64 MiB is refused before it does."""
        unpacking = zlib.decompressobj()
        try:
            plain = unpacking.decompress(data, _LARGEST)
        except zlib.error as error:
            raise ValueError(str(error)) from None
        if not unpacking.eof:
            raise ValueError("it is cut short, or grows beyond 64 MiB")
        return plain


@dataclass(frozen=True, slots=True)
class Base64:
    """For stores and tools that bear nothing but text."""

    name: str = field(default="base64", init=False)

    def encode(self, data: bytes, /) -> bytes:
        """See `Encoder`."""
        return base64.b64encode(data)

    def decode(self, data: bytes, /) -> bytes:
        """See `Encoder`."""
        try:
            return base64.b64decode(data, validate=True)
        except binascii.Error as error:
            raise ValueError(str(error)) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoders:
    """What an application writes with, and what it can read.

    `tasks` chooses by the name of the task, as globs, the first that fits; where none does, `arguments` and `results`
    are for all tasks, and without them nothing is encoded. `known` are read besides: those of yesterday, and those of
    other applications. Built-in ones are always read. Raises `ConfigError` for two of one name, and for a name that
    cannot stand in a line.
    """

    arguments: Encoder | None = None
    results: Encoder | None = None
    tasks: Mapping[str, Encoder] = field(default_factory=dict[str, Encoder])
    known: Sequence[Encoder] = ()
    _by_name: Mapping[str, Encoder] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        given = [each for each in (self.arguments, self.results) if each is not None]
        found: dict[str, Encoder] = {}
        for encoder in (*given, *self.tasks.values(), *self.known):
            _check(encoder, found.setdefault(encoder.name, encoder))
        for built_in in (Zlib(), Base64()):
            found.setdefault(built_in.name, built_in)
        object.__setattr__(self, "_by_name", found)

    def write_arguments(self, task: str, data: bytes) -> bytes:
        """The form in which the arguments of a task are stored."""
        if self.arguments is None and not self.tasks:
            return data
        return _written(data, self._chosen(task) or self.arguments)

    def write_result(self, task: str, data: bytes) -> bytes:
        """The form in which the result of a task is stored."""
        if self.results is None and not self.tasks:
            return data
        return _written(data, self._chosen(task) or self.results)

    def read(self, data: bytes) -> bytes:
        """What was written, by whatever encoder. Raises `Undecodable`."""
        name = name_of(data) if data.startswith(_MARK) else None
        if name is None:
            return data
        encoder = self._by_name.get(name)
        if encoder is None:
            raise _unreadable(f"an encoder among {', '.join(sorted(self._by_name))}", f"'{name}'")
        try:
            return encoder.decode(data[len(_MARK) + len(name.encode()) + 1 :])
        except ValueError as error:
            raise _unreadable(f"what the encoder '{name}' made", str(error)) from None

    def _chosen(self, task: str) -> Encoder | None:
        if not self.tasks:
            return None
        return next((encoder for glob, encoder in self.tasks.items() if fnmatchcase(task, glob)), None)


def name_of(data: bytes) -> str | None:
    """The name of the encoder that made these bytes; `None` for plain ones."""
    if not data.startswith(_MARK):
        return None
    return data[1:].partition(b"\n")[0].decode("ascii", "replace")


def _written(data: bytes, encoder: Encoder | None) -> bytes:
    made = None if encoder is None else encoder.encode(data)
    return data if encoder is None or made is None else b"%b%b\n%b" % (_MARK, encoder.name.encode(), made)


def _check(encoder: Encoder, first: Encoder) -> None:
    if first is not encoder and first != encoder:
        raise ConfigError(
            expected="encoders of different names", found=f"two that are named '{encoder.name}'", do="Rename one."
        )
    if not (encoder.name.isascii() and encoder.name.isprintable() and encoder.name):
        raise ConfigError(expected="an encoder's name of printable ASCII", found=repr(encoder.name), do="Rename it.")


def _unreadable(expected: str, found: str) -> Undecodable:
    return Undecodable(
        expected=expected, found=found, do="Give Stem(encoders=...) the encoder that wrote it as `known`."
    )


PLAIN: Final = Encoders()
"""Nothing is encoded; what built-in encoders wrote can be read."""
