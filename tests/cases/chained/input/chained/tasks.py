from __future__ import annotations

from typing import TYPE_CHECKING

from stem import task

if TYPE_CHECKING:
    from chained.models import Order

DEFAULT = 1


@task
def charge(order: Order, again: list[Order]) -> None: ...
