"""Processes that die at every call of a store, and what has to hold after each."""

from collections.abc import Mapping
from typing import Final

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

__all__ = ["FLOWS"]

_ALL: Final = (Publishing, Leasing, Settling, Retrying, Burying, Rescuing, Firing, Opening, Joining, Deciding)

FLOWS: Final[Mapping[str, Flow]] = {kind.__name__: kind() for kind in _ALL}
