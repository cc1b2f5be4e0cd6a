"""What tests of jobs, and of engines, need: jobs on a clock that tests move, faults of storage, and the contract suite.

Each name is loaded at its first use, because the plugin in this package is loaded in every run of pytest.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stem.testing.clock import ManualClock
    from stem.testing.faults import Fault, Faults
    from stem.testing.jobs import Jobs

__all__ = ["Fault", "Faults", "Jobs", "ManualClock"]

_HOMES = {
    "Fault": "stem.testing.faults",
    "Faults": "stem.testing.faults",
    "Jobs": "stem.testing.jobs",
    "ManualClock": "stem.testing.clock",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'stem.testing' has no attribute '{name}'")
    value: object = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value
