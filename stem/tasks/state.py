"""The states of a task and every move between them: one table, from which everything else is derived."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final

from stem.errors import InvalidTransition

__all__ = [
    "LIVE",
    "TERMINAL",
    "TRANSITIONS",
    "WAITING",
    "TaskEvent",
    "TaskState",
    "advance",
    "allowed_from",
    "diagram",
    "outcome_state",
]


class TaskState(Enum):
    """Where a task is. The first four are live, the last four terminal."""

    QUEUED = "queued"
    """Waits for a worker, or for its time. Survives any crash."""
    RUNNING = "running"
    """A worker holds its lease. If the worker dies, another takes the lease over."""
    RETRYING = "retrying"
    """An attempt failed; the next one is due later."""
    PARKED = "parked"
    """No worker that tried could run it (unknown task, newer contract); kept for one that can."""
    SUCCEEDED = "succeeded"
    """The result is recorded."""
    FAILED = "failed"
    """No attempt is left, or none may be made; the evidence is kept in the dead letters."""
    CANCELLED = "cancelled"
    """Ended on request, or by a rule that made it pointless."""
    EXPIRED = "expired"
    """Was not started before its `expires`."""

    __hash__ = object.__hash__  # there is one object for each; Enum's own is written in Python: 0.2 us a look-up

    @property
    def is_terminal(self) -> bool:
        """Whether nothing but a replay leaves this state."""
        return self in TERMINAL


class TaskEvent(Enum):
    """What can happen to a task."""

    LEASED = "leased"
    STARTED = "started"
    RENEWED = "renewed"
    LOST = "lost"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    RETRIED = "retried"
    RELEASED = "released"
    BURIED = "buried"
    PARKED = "parked"
    CANCEL_REQUESTED = "cancel requested"
    REPLAYED = "replayed"

    __hash__ = object.__hash__


_S, _E = TaskState, TaskEvent

TERMINAL: Final = frozenset({_S.SUCCEEDED, _S.FAILED, _S.CANCELLED, _S.EXPIRED})
LIVE: Final = frozenset(TaskState) - TERMINAL
WAITING: Final = LIVE - {_S.RUNNING}

TRANSITIONS: Final[Mapping[tuple[TaskState, TaskEvent], TaskState]] = MappingProxyType(
    {
        (_S.QUEUED, _E.LEASED): _S.RUNNING,
        (_S.RETRYING, _E.LEASED): _S.RUNNING,
        (_S.PARKED, _E.LEASED): _S.RUNNING,
        (_S.RUNNING, _E.STARTED): _S.RUNNING,
        (_S.RUNNING, _E.RENEWED): _S.RUNNING,
        (_S.RUNNING, _E.LOST): _S.RUNNING,
        (_S.RUNNING, _E.SUCCEEDED): _S.SUCCEEDED,
        (_S.RUNNING, _E.FAILED): _S.FAILED,
        (_S.RUNNING, _E.EXPIRED): _S.EXPIRED,
        (_S.RUNNING, _E.CANCELLED): _S.CANCELLED,
        (_S.RUNNING, _E.RETRIED): _S.RETRYING,
        (_S.RUNNING, _E.RELEASED): _S.QUEUED,
        (_S.RUNNING, _E.BURIED): _S.FAILED,
        (_S.RUNNING, _E.PARKED): _S.PARKED,
        (_S.QUEUED, _E.CANCEL_REQUESTED): _S.CANCELLED,
        (_S.RETRYING, _E.CANCEL_REQUESTED): _S.CANCELLED,
        (_S.PARKED, _E.CANCEL_REQUESTED): _S.CANCELLED,
        (_S.RUNNING, _E.CANCEL_REQUESTED): _S.RUNNING,
        (_S.SUCCEEDED, _E.CANCEL_REQUESTED): _S.SUCCEEDED,
        (_S.FAILED, _E.CANCEL_REQUESTED): _S.FAILED,
        (_S.CANCELLED, _E.CANCEL_REQUESTED): _S.CANCELLED,
        (_S.EXPIRED, _E.CANCEL_REQUESTED): _S.EXPIRED,
        (_S.FAILED, _E.REPLAYED): _S.QUEUED,
        (_S.CANCELLED, _E.REPLAYED): _S.QUEUED,
        (_S.EXPIRED, _E.REPLAYED): _S.QUEUED,
    }
)


def advance(state: TaskState, event: TaskEvent) -> TaskState:
    """The state after `event`; raises `InvalidTransition` where the table has no such move."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        allowed = ", ".join(sorted(s.value for s in allowed_from(event)))
        raise InvalidTransition(
            expected=f"a task that is {allowed} for the event '{event.value}'",
            found=f"a task that is {state.value}",
            do="Read the task's status again and decide from what it says.",
        ) from None


def allowed_from(event: TaskEvent) -> frozenset[TaskState]:
    """The states in which `event` may happen: what an adapter puts into its compare-and-set."""
    return frozenset(state for state, happened in TRANSITIONS if happened is event)


def outcome_state(event: TaskEvent) -> TaskState:
    """The one state to which `event` leads from a running task."""
    return advance(_S.RUNNING, event)


def diagram() -> str:
    """The table as a Mermaid state diagram, for the documentation."""
    rows = [
        f"    {s.value} --> {TRANSITIONS[s, e].value}: {e.value}" for s, e in TRANSITIONS if TRANSITIONS[s, e] is not s
    ]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {_S.QUEUED.value}: published", *rows])
