"""Who is measured, in which versions and settings, and what Stem asks of itself beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from stem.errors import ConfigError

__all__ = ["DEFAULT_COUNTS", "OURS", "TARGETS", "Engine", "Measure", "Peer", "Target", "peers_of"]


class Engine(StrEnum):
    """Where tasks are stored."""

    REDIS = "redis"
    POSTGRES = "postgres"
    SQLITE = "sqlite"


class Measure(StrEnum):
    """What is measured."""

    DRAIN = "drain"
    ENQUEUE = "enqueue"
    ROUND_TRIPS = "round-trips"
    LATENCY = "latency"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One configuration. `adapter` is a module of `adapters`; without `requirements` it runs in this environment."""

    name: str
    engine: Engine
    adapter: str
    requirements: tuple[str, ...] = ()
    has_results: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What Stem asks of itself: so many `times` the best peer (of these, or of all), or a `limit` of its own.

    A limit of latency, in milliseconds, is one to stay below; one of a rate, per second, is one to reach.
    """

    measure: Measure
    times: float | None = None
    peers: tuple[str, ...] = ()
    limit: float | None = None


_UVLOOP = "uvloop==0.23.0"
_HIREDIS = "hiredis==3.5.0"
_PSYCOPG = "psycopg[binary,pool]==3.3.9"
_SAQ = ("saq[redis,postgres]==0.26.4", "redis==7.4.1", _HIREDIS, _PSYCOPG, _UVLOOP)
_TASKIQ = ("taskiq==0.13.0", "taskiq-redis==1.2.4", _HIREDIS, _UVLOOP)
_HUEY = ("huey==3.5.4", "redis==8.1.0", _HIREDIS)
_PROCRASTINATE = ("procrastinate==3.10.0", _PSYCOPG, _UVLOOP)

_PEERS: Final = (
    Peer(
        name="saq",
        engine=Engine.REDIS,
        adapter="saq_queue",
        requirements=_SAQ,
        note="results polled every 2 ms (500 by default)",
    ),
    Peer(
        name="taskiq",
        engine=Engine.REDIS,
        adapter="taskiq_stream",
        requirements=_TASKIQ,
        note="results polled every 2 ms (200 by default)",
    ),
    Peer(
        name="streaq",
        engine=Engine.REDIS,
        adapter="streaq_stream",
        requirements=("streaq==7.2.0", "coredis==6.9.0", _UVLOOP),
        note="400 connections, because each waiter holds one",
    ),
    Peer(
        name="arq",
        engine=Engine.REDIS,
        adapter="arq_queue",
        requirements=("arq==0.28.0", "redis==5.3.1", _HIREDIS, _UVLOOP),
        note="queue and results polled every 5 ms (500 by default)",
    ),
    Peer(
        name="dramatiq",
        engine=Engine.REDIS,
        adapter="dramatiq_redis",
        requirements=("dramatiq==2.2.1", "redis==8.1.0", _HIREDIS),
        note="blocking task in 8 threads; fetches 64 ahead (16 by default)",
    ),
    Peer(
        name="huey",
        engine=Engine.REDIS,
        adapter="huey_queue",
        requirements=_HUEY,
        note="blocking task in 1 thread; takes a task out before it runs: what a killed worker held is lost",
    ),
    Peer(
        name="pgqueuer",
        engine=Engine.POSTGRES,
        adapter="pgqueuer_queue",
        requirements=("pgqueuer==1.6.0", "asyncpg==0.32.0", _UVLOOP),
        note="stores a status, no result; batches of 200 (10 by default); waiters pause 1 ms (50 by default)",
    ),
    Peer(
        name="procrastinate",
        engine=Engine.POSTGRES,
        adapter="procrastinate_queue",
        requirements=_PROCRASTINATE,
        has_results=False,
        note="stores no results, so there is nothing to wait for",
    ),
    Peer(
        name="saq-pg",
        engine=Engine.POSTGRES,
        adapter="saq_queue",
        requirements=_SAQ,
        note="results polled every 2 ms (500 by default)",
    ),
    Peer(
        name="huey-sqlite",
        engine=Engine.SQLITE,
        adapter="huey_queue",
        requirements=_HUEY,
        note="blocking task in 1 thread; takes a task out before it runs; no waiting for the disk; polls every 2 ms",
    ),
)

OURS: Final[Mapping[Engine, Peer]] = {
    engine: Peer(name="stem", engine=engine, adapter="stem_jobs") for engine in Engine
}

DEFAULT_COUNTS: Final[Mapping[Engine, int]] = {Engine.REDIS: 10_000, Engine.POSTGRES: 3_000, Engine.SQLITE: 10_000}

TARGETS: Final[Mapping[Engine, tuple[Target, ...]]] = {
    Engine.REDIS: (
        Target(measure=Measure.DRAIN, times=5),
        Target(measure=Measure.ENQUEUE, times=3),
        Target(measure=Measure.ROUND_TRIPS, times=5),
        Target(measure=Measure.LATENCY, limit=0.8),
    ),
    Engine.POSTGRES: (
        Target(measure=Measure.DRAIN, times=1.2, peers=("pgqueuer",)),
        Target(measure=Measure.DRAIN, times=20, peers=("procrastinate", "saq-pg")),
        Target(measure=Measure.ROUND_TRIPS, times=5),
        Target(measure=Measure.LATENCY, limit=3),
    ),
    Engine.SQLITE: (
        Target(measure=Measure.DRAIN, limit=12_000),
        Target(measure=Measure.ENQUEUE, limit=25_000),
        Target(measure=Measure.LATENCY, limit=4),
    ),
}


def peers_of(engine: Engine, names: Sequence[str] | None) -> list[Peer]:
    """The engine's peers: those of these names, or all. Raises `ConfigError` for a name that is not there."""
    here = {peer.name: peer for peer in _PEERS if peer.engine is engine}
    unknown = [name for name in names or () if name not in here]
    if unknown:
        raise ConfigError(expected=f"some of {', '.join(here)}", found=", ".join(unknown), do="Name only these.")
    return list(here.values()) if names is None else [here[name] for name in names]
