"""What tests of jobs, and of engines, need: a clock that tests move, and the contract suite for storage adapters."""

from stem.testing.clock import ManualClock

__all__ = ["ManualClock"]
