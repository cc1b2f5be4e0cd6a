"""What happens in a run, drawn from its seed: the same seed, the same tasks and the same blows. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

__all__ = ["Blow", "Job", "Plan", "draw"]

_LONGEST_MS: Final = 800
_FAILING: Final = 0.10
_HOPELESS: Final = 0.02
_RESTARTS: Final = 2
_FIRST_RESTART: Final = 4


@dataclass(frozen=True, slots=True)
class Job:
    """One task: how long each attempt takes, and how many of them fail first; a hopeless one fails always."""

    number: int
    milliseconds: int
    failures: int
    hopeless: bool


@dataclass(frozen=True, slots=True)
class Blow:
    """What is done in one second: the worker that is killed, and whether the server is restarted, too."""

    victim: int
    restart: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """All tasks, and a blow for each second; after the last one there are no more."""

    jobs: tuple[Job, ...]
    blows: tuple[Blow, ...]


def draw(seed: int, *, tasks: int, workers: int, seconds: int, restarts: bool) -> Plan:
    """The plan of a seed. With `restarts`, two of the seconds have one."""
    dice = random.Random(seed)  # it has to be the same again
    jobs = tuple(_job(dice, number) for number in range(tasks))
    later = range(min(_FIRST_RESTART, seconds), seconds)
    when = set(dice.sample(later, min(_RESTARTS, len(later)))) if restarts else set[int]()
    return Plan(jobs, tuple(Blow(dice.randrange(workers), second in when) for second in range(seconds)))


def _job(dice: random.Random, number: int) -> Job:
    fate = dice.random()
    failures = dice.randint(1, 3) if fate < _FAILING else 0
    return Job(number, dice.randrange(_LONGEST_MS), failures, hopeless=fate > 1 - _HOPELESS)
