"""Faults of storage, on purpose: calls that fail, come late, lose their answer, or kill the process.

    faults = Faults.from_seed(7, fail=0.05, drop=0.05)
    async with Stem("sqlite:///stem.db", wrap=faults.around) as stem:
        ...

`Faults.at("commit", Fault.KILL_BEFORE, nth=3, holding=Settle)` chooses one call. `faults.record` is what happened, and
`Faults.plan(*faults.record)` makes it happen again.
"""

from stem.testing.faults.faults import Faults
from stem.testing.faults.plan import METHODS, Call, Chances, Choice, Fault, Point
from stem.testing.faults.store import FaultyStore, Injector

__all__ = ["METHODS", "Call", "Chances", "Choice", "Fault", "Faults", "FaultyStore", "Injector", "Point"]
