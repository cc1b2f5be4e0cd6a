from __future__ import annotations

from typing import TypeVar

from first_run._stem import definitions as defs

C = TypeVar("C", bound=type)
later = defs


def audited(model: C) -> C:
    return model
