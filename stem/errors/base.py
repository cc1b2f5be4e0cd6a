"""What every error of Stem is, and those that belong to no theme."""

from __future__ import annotations

from typing import ClassVar

__all__ = ["BuildError", "ConfigError", "InvalidTransition", "StemError", "UnknownWorker"]


class StemError(Exception):
    """What was expected, what was found and what to do about it, under a stable code."""

    code: ClassVar[str] = "STEM-E000"

    def __init__(self, *, expected: str, found: str, do: str) -> None:
        super().__init__(expected, found, do)
        self.expected = expected
        self.found = found
        self.do = do

    def __str__(self) -> str:
        return f"[{self.code}] expected {self.expected}; found {self.found}. {self.do}"

    def __reduce__(self) -> tuple[object, ...]:
        return _blank, (type(self), self.args), self.__dict__


def _blank(kind: type[StemError], args: tuple[str, ...]) -> StemError:
    """An error before its attributes: copying and sending to another process cannot call `__init__` by position."""
    return kind.__new__(kind, *args)


class ConfigError(StemError):
    """A setting, a URL, an option value or a missing extra stands in the way."""

    code = "STEM-E001"


class BuildError(StemError):
    """stem-build cannot go on."""

    code = "STEM-E010"


class InvalidTransition(StemError):
    """The table of states does not allow this event in this state."""

    code = "STEM-E080"


class UnknownWorker(StemError):
    """No live worker has this name, or it did not answer in time."""

    code = "STEM-E081"
