import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Dict, List, Literal, Optional, Tuple, Union

from pydantic import Field
from stem import task

from annotations_ import models as m
from annotations_.models import Cat, Colour, Currency, Dog, Level, Name, Order, Page, Pair, Pet, Point, Row, Tree, UserId


@task
def containers(
    a: list[int],
    b: dict[str, list[Point]],
    c: tuple[int, str],
    d: tuple[int, ...],
    e: set[str],
    f: frozenset[Colour],
    g: Sequence[int],
    h: Mapping[str, int],
) -> list[Point]:
    return b[str(a)] and []


@task
def old_names(a: List[int], b: Dict[str, int], c: Tuple[int, ...], d: Optional[int], e: Union[int, str, None]) -> None: ...


@task
def unions(a: int | str, b: Point | None, c: Pet, d: Annotated[Cat | Dog, Field(discriminator="kind")]) -> Cat | None:
    return None


@task
def literals(a: Literal["x", "y"], b: Literal[1, 2] | None, c: Currency) -> Literal[True]:
    return True


@task
def standard(a: datetime, b: date, c: timedelta, d: Decimal, e: uuid.UUID, f: Path, g: bytes) -> datetime:
    return a


@task
def named(a: Colour, b: Level, c: UserId, d: Name, e: Row, f: Pair, g: Tree, h: Page[Point], i: m.Point) -> Page[int]:
    return Page(items=[])


@task
def nested(a: Order.Status, b: m.Order.Status) -> Order.Status:
    return a


@task
def described(a: Annotated[int, Field(ge=0)], b: Annotated[str, "free text"]) -> Annotated[int, Field(le=9)]:
    return a
