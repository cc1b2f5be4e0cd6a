"""Processes that die at every call of a store, and what has to hold after each."""

from collections.abc import Mapping
from typing import Final

from tests.scenarios.support.crashes.everywhere import HandingOut
from tests.scenarios.support.crashes.flow import Flow
from tests.scenarios.support.crashes.flows import (
    Burying,
    Firing,
    Leasing,
    Publishing,
    Rescuing,
    Retrying,
    Settling,
)
from tests.scenarios.support.crashes.groups import Deciding, Joining, Opening
from tests.scenarios.support.crashes.working import Working

__all__ = ["FLOWS", "STEPS"]

_SINGLE: Final = (Publishing, Leasing, Settling, Retrying, Burying, Rescuing, Firing)
_STEPS: Final = (*_SINGLE, Opening, Joining, Deciding, HandingOut)

STEPS: Final[Mapping[str, Flow]] = {kind.__name__: kind() for kind in _STEPS}
"""Those whose every call is written down: they leave the same behind in every run."""
FLOWS: Final[Mapping[str, Flow]] = {**STEPS, Working.__name__: Working()}
