"""How many of a task may start in a time, and run at once, over all workers: decided inside the lease call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from stem.clock import Micros
from stem.tasks.rates import Rate

__all__ = ["MOST_MOVED", "Limits", "Room", "TaskLimit"]

MOST_MOVED: Final = 200
"""How many messages one lease call moves aside, and how many it lets back, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLimit:
    """What holds for messages of one name. `shared` is the task whose allowance they use: for an old name of a task,
    its present one; else the name itself. Without `rate` and `concurrency` nothing holds."""

    name: str
    shared: str
    rate: Rate | None = None
    concurrency: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How a limit stands. `opens_at`: from when on one more may start by the rate, by the store's clock; `None` without
    a rate. `holders`: how many leases count against `concurrency`; both `None` where no concurrency is declared."""

    opens_at: Micros | None = None
    holders: int | None = None
    concurrency: int | None = None


class Limits(Protocol):
    """Rates and concurrency, by task and key.

    A message uses the allowance of (`shared` of its name, its `rate_key`) when a lease call gives it, and is a holder
    of (`shared`, its `concurrency_key`) as long as that lease stands; a message without a key uses the one of the task
    alone. A lease call gives no message beyond either: of those it comes upon in their order, the ones that may not
    start are moved aside, in the line of their allowances, at most `MOST_MOVED` by one call, which then says that it
    should be made again at once (`next_due` 0). Later calls let them back to their place in the queue's line, by
    priority, due time and order of publication, as many as may start and at most `MOST_MOVED`: when the rate's time
    has come, when a holder's lease ends (its queue is told of, so that workers wake), and when other limits are
    declared. What stands aside is not looked at again before that, keeps no place from others, and makes no call ask
    again: `next_due` counts with the time at which the rate lets the first of them start.

    Nothing else about a message that stands aside is different: it keeps its state, counts as waiting, uses no attempt,
    and is cancelled, paused with its queue, parked and listed like any other; its record says `limited`. A rescue
    asks for no allowance: a lost lease is a holder until it is taken over, and its successor is one.

    A lease counts as a holder if a concurrency was declared for its name when it was given. All times are the store's.
    """

    async def declare_limits(self, limits: Sequence[TaskLimit]) -> None:
        """From now on these hold for their names, in place of what was declared before; other names keep theirs.

        A name without rate and concurrency has no limit any more. What stands aside is judged anew, and who waits for
        its queues is woken. Declaring what holds already changes nothing. What was used of an allowance stays used.
        """
        ...

    async def limits(self) -> tuple[TaskLimit, ...]:
        """All limits that are declared, by name."""
        ...

    async def room(self, name: str, *, rate_key: str | None = None, concurrency_key: str | None = None) -> Room:
        """How the limits of a name stand for these keys."""
        ...
