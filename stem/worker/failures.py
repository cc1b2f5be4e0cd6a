"""Errors as they are recorded: bounded text, whatever a handler raised."""

from __future__ import annotations

from traceback import TracebackException
from types import TracebackType
from typing import Final

from stem.errors import ResultRefused, StemError
from stem.tasks.status import Failure

__all__ = ["failure_of", "unencodable"]

_MOST_MESSAGE: Final = 4_000
_MOST_TRACEBACK: Final = 16_000


def failure_of(error: BaseException) -> Failure:
    """Class name, message and the end of the traceback, from the handler's first frame on. Raises nothing."""
    return Failure(
        kind=type(error).__name__,
        message=_message(error),
        traceback=_traceback(error),
        code=error.code if isinstance(error, StemError) else "",
    )


def unencodable(task: str, error: Exception) -> ResultRefused:
    """What it means that a result's own serializer failed."""
    return ResultRefused(
        expected=f"a result of task '{task}' that can be encoded",
        found=f"{type(error).__name__} from its serializer",
        do="Correct the serializer of the result's type.",
    )


def _message(error: BaseException) -> str:
    try:
        return _storable(str(error))[:_MOST_MESSAGE]
    except Exception:  # noqa: BLE001  # a handler's own __str__ may raise anything
        return "(its text could not be made)"


def _traceback(error: BaseException) -> str:
    try:
        lines = TracebackException(type(error), error, _of_the_handler(error.__traceback__)).format()
        return _storable("".join(lines))[-_MOST_TRACEBACK:]
    except Exception:  # noqa: BLE001  # notes and causes are the handler's objects too
        return ""


def _storable(text: str) -> str:
    """Lone surrogates cannot be written as UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _of_the_handler(trace: TracebackType | None) -> TracebackType | None:
    """The trace without the worker's own frames at its beginning."""
    kept = trace
    while kept is not None and kept.tb_frame.f_globals.get("__name__", "").startswith("stem.worker."):
        kept = kept.tb_next
    return kept or trace
