"""When the next attempt comes: pure arithmetic over the attempt number and one random number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, cast

from stem.clock import Micros, to_micros
from stem.errors import ConfigError

__all__ = ["DEFAULT_BACKOFF", "Backoff", "Retry", "should_retry"]


@dataclass(frozen=True, slots=True)
class Backoff:
    """The numbers of a retry policy, in microseconds: what travels and what a store keeps."""

    initial: Micros
    factor: float
    max_delay: Micros
    jitter: float

    def delay(self, retries: int, random: float) -> Micros:
        """The wait before the retry that follows `retries` earlier ones.

        `initial * factor ** retries`, never above `max_delay`, spread by plus or minus `jitter`; `random` is in [0, 1).
        """
        try:
            raw = self.initial * self.factor**retries
        except OverflowError:
            raw = float(self.max_delay)
        spread = 1.0 + self.jitter * (2.0 * random - 1.0)
        return round(min(raw, self.max_delay) * spread)


@dataclass(frozen=True, slots=True)
class Retry:
    """How failed attempts of a task are repeated.

    `initial`, `factor`, `max_delay` and `jitter` give the waits; `retry_on` and `give_up_on` choose by exception class,
    where `give_up_on` wins. How often is `max_retries`, an option of the definition. Raises `ConfigError` for numbers
    that make no sense.
    """

    initial: timedelta = timedelta(seconds=2)
    factor: float = 2.0
    max_delay: timedelta = timedelta(minutes=5)
    jitter: float = 0.25
    retry_on: tuple[type[BaseException], ...] = (Exception,)
    give_up_on: tuple[type[BaseException], ...] = ()

    def __post_init__(self) -> None:
        for name in ("initial", "max_delay"):
            wait: object = getattr(self, name)
            holds = isinstance(wait, timedelta) and wait >= timedelta(0)
            _require(holds, f"Retry.{name} to be a timedelta of zero or more", wait)
        for name, low, high in (("factor", 1.0, 1e300), ("jitter", 0.0, 1.0)):
            number: object = getattr(self, name)
            holds = isinstance(number, (int, float)) and low <= number <= high
            _require(holds, f"Retry.{name} to be a number from {low:g} to {high:g}", number)
        for name in ("retry_on", "give_up_on"):
            classes: object = getattr(self, name)
            _require(_are_errors(classes), f"Retry.{name} to be a tuple of exception classes", classes)

    @property
    def backoff(self) -> Backoff:
        """The numbers, without the classes."""
        return Backoff(to_micros(self.initial), self.factor, to_micros(self.max_delay), self.jitter)


def _are_errors(value: object) -> bool:
    if not isinstance(value, tuple):
        return False
    classes = cast("tuple[object, ...]", value)
    return all(isinstance(each, type) and issubclass(each, BaseException) for each in classes)


def should_retry(error: BaseException, retry: Retry) -> bool:
    """Whether the policy repeats after this error; attempts that are left are somebody else's question.

    What is no `Exception`, as `SystemExit`, is repeated where `Exception` is.
    """
    if isinstance(error, retry.give_up_on):
        return False
    return isinstance(error, retry.retry_on) or (not isinstance(error, Exception) and Exception in retry.retry_on)


def _require(holds: bool, expected: str, found: object) -> None:
    if not holds:
        raise ConfigError(expected=expected, found=repr(found), do="Correct the Retry(...) of the task.")


DEFAULT_BACKOFF: Final = Retry().backoff
