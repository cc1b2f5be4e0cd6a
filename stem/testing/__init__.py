"""What tests of jobs, and of engines, need: a clock that tests move, faults of storage, and the contract suite."""

from stem.testing.clock import ManualClock
from stem.testing.faults import Fault, Faults

__all__ = ["Fault", "Faults", "ManualClock"]
