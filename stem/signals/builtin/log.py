"""One log line for each attempt."""

from __future__ import annotations

import logging
from typing import Final

from stem.clock import Clock, SystemClock
from stem.signals.middleware import Attempt, NextAttempt, RaisedElsewhere

__all__ = ["LogAttempts"]

_ATTEMPTS: Final = logging.getLogger("stem.attempts")


class LogAttempts:
    """Writes a line when a handler has ended: its task's name, id, attempt, milliseconds, and how it ended.

    INFO when it returned, WARNING with the class of what it raised; never the message, which may tell of arguments.
    The same values are attributes of the log record, for those who write JSON.
    """

    def __init__(self, logger: logging.Logger = _ATTEMPTS, *, clock: Clock | None = None) -> None:
        self._logger = logger
        self._clock = clock or SystemClock()

    async def around_attempt(self, attempt: Attempt, call_next: NextAttempt, /) -> None:
        """See `AroundAttempt`."""
        began = self._clock.elapsed()
        level, outcome = logging.INFO, "returned"
        try:
            await call_next()
        except BaseException as error:
            kind = error.failure.kind if isinstance(error, RaisedElsewhere) else type(error).__name__
            level, outcome = logging.WARNING, f"raised {kind}"
            raise
        finally:
            self._write(level, attempt, outcome, (self._clock.elapsed() - began) / 1000)

    def _write(self, level: int, attempt: Attempt, outcome: str, milliseconds: float) -> None:
        values: dict[str, object] = {
            "task": attempt.task,
            "task_id": attempt.task_id,
            "queue": attempt.queue,
            "attempt": attempt.attempt,
            "ms": round(milliseconds, 1),
            "outcome": outcome,
        }
        line = " ".join(f"{name}=%s" for name in values)
        self._logger.log(level, line, *map(_word, values.values()), extra=values)


def _word(value: object) -> object:
    """Quoted where a reader of `name=value` would lose the thread."""
    return f'"{value}"' if isinstance(value, str) and " " in value else value
