"""Exit codes, and which error ends in which."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Final

from stem.errors import (
    ConfigError,
    InvalidArguments,
    SchemaMismatch,
    StemError,
    StoreCorrupt,
    StoreUnavailable,
    UnknownId,
    UnknownTask,
    UnknownWorker,
    UnknownWorkflow,
    WaitTimeout,
)

__all__ = ["Exit", "exit_of", "lines_of"]


class Exit(IntEnum):
    """What a command's exit code says."""

    OK = 0
    PROBLEMS = 1
    USAGE = 2
    NOT_FOUND = 3
    CANNOT_CONNECT = 4
    REFUSED = 5
    TIMEOUT = 124
    INTERRUPTED = 130


_BY_ERROR: Final[Mapping[type[StemError], Exit]] = MappingProxyType(
    {
        ConfigError: Exit.USAGE,
        InvalidArguments: Exit.USAGE,
        UnknownId: Exit.NOT_FOUND,
        UnknownTask: Exit.NOT_FOUND,
        UnknownWorker: Exit.NOT_FOUND,
        UnknownWorkflow: Exit.NOT_FOUND,
        StoreUnavailable: Exit.CANNOT_CONNECT,
        SchemaMismatch: Exit.CANNOT_CONNECT,
        StoreCorrupt: Exit.CANNOT_CONNECT,
        WaitTimeout: Exit.TIMEOUT,
    }
)


def exit_of(error: StemError) -> Exit:
    """The exit code of the nearest class in the table; `PROBLEMS` for every other error."""
    return next((_BY_ERROR[kind] for kind in type(error).__mro__ if kind in _BY_ERROR), Exit.PROBLEMS)


def lines_of(error: StemError) -> list[str]:
    """An error as a person reads it: the code and what was expected, then what was found and what to do."""
    return [f"error[{error.code}]: expected {error.expected}", f"  found: {error.found}", f"  do:    {error.do}"]
