"""What the store makes of what an attempt has decided: recorded, decided again, or given up."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Final, Literal, TypeAlias, cast

from stem.contracts.changes import Applied, Change, Fenced, Refused, Verdict
from stem.errors import StemError, StoreError
from stem.stores.committer import Commits
from stem.worker.decide import Stop
from stem.worker.held import Held
from stem.worker.stats import WorkerStats
from stem.worker.tell import Teller
from stem.worker.unfit import decide_again

__all__ = ["Ends", "Verdicts"]

Ends: TypeAlias = Callable[[Held], None]

_log: Final = logging.getLogger("stem.worker")


class Verdicts:
    """Hands changes over and hears what becomes of them; `ended` is called once for each attempt that is over."""

    def __init__(self, commits: Commits, tell: Teller, stats: WorkerStats, ended: Ends) -> None:
        self._commits = commits
        self._tell = tell
        self._signals = tell.signals
        self._stats = stats
        self._ended = ended

    def settle(self, held: Held, change: Change) -> None:
        """Have the outcome recorded; nobody waits for it."""
        self._commits.settle(change, partial(self._told, held, change))

    def give_up(self, held: Held) -> None:
        """The attempt is over without an outcome."""
        self._lost(held, "fenced" if held.stop is Stop.LOST else "unknown")
        self._ended(held)

    async def of(self, held: Held, change: Change) -> Applied | Refused | None:
        """The store's verdict; `None` when the lease is another's or nobody knows: then nothing is decided anew."""
        try:
            verdict = await self._commits.commit(change)
        except StoreError as error:
            self._stats.dropped += 1
            _log.error("task %s: outcome unknown (%s)", held.fence.task_id, error.code)
            return None
        if isinstance(verdict, Fenced):
            self._stats.fenced += 1
            held.end(Stop.LOST)
            return None
        return cast("Applied | Refused", verdict)

    def _told(self, held: Held, change: Change, verdict: Verdict | StemError) -> None:
        """The outcome is recorded, or is decided again when the store refuses it, or is given up."""
        if isinstance(verdict, Applied):
            self._stats.count(change)
            if self._signals.heard:
                self._tell.finished(held, change)
        elif isinstance(verdict, Refused) and change.number == 1:
            self.settle(held, decide_again(held.delivery, change, verdict))
            return
        elif isinstance(verdict, Fenced):
            self._stats.fenced += 1
            self._lost(held, "fenced")
        else:
            self._lost(held, "unknown")
            self._stats.dropped += 1
            why = verdict.code if isinstance(verdict, StemError) else type(verdict).__name__
            _log.error("task %s: outcome unknown (%s)", held.fence.task_id, why)
        self._ended(held)

    def _lost(self, held: Held, why: Literal["fenced", "unknown"]) -> None:
        if self._signals.heard:
            self._tell.lost(held.delivery, why)
