from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Annotated, Generic, Literal, NamedTuple, NewType, TypeAlias, TypeVar, Union

from pydantic import BaseModel, Field
from typing_extensions import TypedDict

T = TypeVar("T")
UserId = NewType("UserId", int)
Currency = Literal["EUR", "USD"]
Name: TypeAlias = Annotated[str, Field(min_length=1)]


class Colour(Enum):
    RED = "red"


class Level(IntEnum):
    LOW = 1


@dataclass(frozen=True)
class Point:
    x: float
    y: float


class Row(TypedDict):
    id: int


class Pair(NamedTuple):
    left: int
    right: str


class Page(BaseModel, Generic[T]):
    items: list[T]


class Tree(BaseModel):
    children: list[Tree] = []


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


class Order(BaseModel):
    class Status(Enum):
        OPEN = "open"

    status: Status


Pet = Union[Cat, Dog]
