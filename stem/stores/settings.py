"""Where an application keeps its tasks, and for how long: what `Stem` was given, checked and completed. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypedDict

from stem.clock import to_micros
from stem.contracts.adapter import StoreOptions
from stem.contracts.retention import Retention
from stem.contracts.store import Store
from stem.errors import ConfigError
from stem.routing.router import Router
from stem.stores.open import hide_secrets
from stem.tasks.encoders import PLAIN, Encoders
from stem.tasks.options import EnqueueOptions

__all__ = ["DEFAULT_URL", "ClientSettings", "Keep", "Places", "choose_places", "retention_of"]

DEFAULT_URL: Final = "sqlite:///stem.db"


class Keep(TypedDict, total=False):
    """How long records are kept after their end, by how they ended; what is left out is twice the `result_ttl`.

    `dead` is for what is in the dead letters, 30 days where it is left out.
    """

    succeeded: timedelta
    failed: timedelta
    cancelled: timedelta
    expired: timedelta
    dead: timedelta


def retention_of(keep: Keep) -> Retention:
    """The rule of the stores. Raises `ConfigError` for an unknown state or a duration below zero."""
    unknown = sorted(set(keep) - set(Keep.__annotations__))
    if unknown or any(kept < timedelta(0) for kept in keep.values() if isinstance(kept, timedelta)):
        raise ConfigError(
            expected=f"`keep` with durations for {', '.join(Keep.__annotations__)}",
            found=", ".join(unknown) or "a duration below zero",
            do="Correct `keep`.",
        )
    return Retention(**{state: to_micros(kept) for state, kept in keep.items() if isinstance(kept, timedelta)})


@dataclass(frozen=True, slots=True)
class Places:
    """The URL of the messages, and that of the results, which is nearly always the same."""

    broker: str
    results: str

    def __str__(self) -> str:
        """Without secrets."""
        broker, results = hide_secrets(self.broker), hide_secrets(self.results)
        return repr(broker) if self.results == self.broker else f"broker={broker!r}, results={results!r}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """What a client is opened with. `wrap` is given the store that was opened, and answers the one to use."""

    places: Places
    options: StoreOptions
    defaults: EnqueueOptions
    payload_limit: int
    router: Router | None = None
    encoders: Encoders = PLAIN
    wrap: Callable[[Store], Store] | None = None


def choose_places(
    url: str | None, *, broker: str | None, results: str | None, environment: Mapping[str, str]
) -> Places:
    """Where to, in this order: what was passed, `STEM_URL` with `STEM_RESULTS_URL`, the default.

    Raises `ConfigError` when messages are given two places.
    """
    if url and broker:
        raise ConfigError(
            expected="one URL for the messages",
            found="both `url` and `broker`",
            do="Pass `broker` and `results`, or one `url` for everything.",
        )
    chosen = url or broker
    if chosen:
        return Places(chosen, results or chosen)
    found = environment.get("STEM_URL") or DEFAULT_URL
    return Places(found, results or environment.get("STEM_RESULTS_URL") or found)
