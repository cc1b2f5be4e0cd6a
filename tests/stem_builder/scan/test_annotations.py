"""Annotations become one canonical spelling whose names a producer can import."""

from __future__ import annotations

from pathlib import Path

import pytest

from stem_builder.diagnostics import Severity
from tests.stem_builder.sources import codes, only_task, scan, scan_tasks, text, the

HEAD = "from stem import task\n"


def read(tmp_path: Path, imports: str, annotation: str, models: str = "", **more: str) -> str:
    """The canonical text of a parameter annotated like this, in a package without problems."""
    source = f"{HEAD}{imports}\n@task\ndef run(value: {annotation}) -> None: ...\n"
    result = scan_tasks(tmp_path, source, **({"models": models} if models else {}), **more)
    return text(only_task(result).parameters[0].type)


@pytest.mark.parametrize(
    ("imports", "annotation", "expected"),
    [
        ("", "int", "int"),
        ("", "'int'", "int"),
        ("", "int | None", "int | None"),
        ("", "None | int", "int | None"),
        ("", "int | str | int", "int | str"),
        ("from typing import Optional", "Optional[int]", "int | None"),
        ("import typing as t", "t.Union[None, int, t.Optional[str]]", "int | str | None"),
        ("from typing import List, Dict", "Dict[str, List[int]]", "dict[str, list[int]]"),
        ("from typing import Sequence", "Sequence[int]", "collections.abc.Sequence[int]"),
        ("from collections import abc", "abc.Mapping[str, 'int']", "collections.abc.Mapping[str, int]"),
        ("", "tuple[int, ...]", "tuple[int, ...]"),
        ("", "tuple[()]", "tuple[()]"),
        ("", "tuple[int, str]", "tuple[int, str]"),
        (
            "from typing import Literal",
            "Literal['EUR', 'U\"SD', 1, True, None, -1]",
            'typing.Literal["EUR", \'U"SD\', 1, True, None, -1]',
        ),
        ("from typing_extensions import Literal", "Literal[b'x']", 'typing.Literal[b"x"]'),
        (
            "from datetime import datetime, timedelta",
            "dict[str, datetime | timedelta]",
            "dict[str, datetime.datetime | datetime.timedelta]",
        ),
        ("import datetime as dt", "dt.datetime", "datetime.datetime"),
        ("import decimal, uuid", "decimal.Decimal | uuid.UUID", "decimal.Decimal | uuid.UUID"),
        ("from pathlib import Path", "Path", "pathlib.Path"),
        (
            "from typing import Annotated\nfrom pydantic import Field",
            "Annotated[int, Field(gt=0, le=9)]",
            "typing.Annotated[int, pydantic.Field(gt=0, le=9)]",
        ),
        (
            "from typing import Annotated\nimport pydantic as p",
            "Annotated[int | None, p.Field(gt=-1), 'x']",
            'typing.Annotated[int | None, pydantic.Field(gt=-1), "x"]',
        ),
        (
            "from typing import Annotated\nTOP = 9\nfrom pydantic import Field",
            "Annotated[int, Field(le=TOP)]",
            "typing.Annotated[int, pydantic.Field(le=9)]",
        ),
        (
            "from typing import Annotated\nfrom pydantic import AfterValidator",
            "Annotated[int, AfterValidator(lambda v: v)]",
            "int",
        ),
        ("import xml.etree.ElementTree\nimport yarl.url", "yarl.url.URL", "yarl.url.URL"),
    ],
)
def test_one_type_has_one_spelling(tmp_path: Path, imports: str, annotation: str, expected: str) -> None:
    assert read(tmp_path, imports, annotation) == expected


@pytest.mark.parametrize(
    ("imports", "annotation", "expected"),
    [
        ("from shop.models import Order", "Order", "shop.models.Order"),
        ("from shop.models import Order as O", "O", "shop.models.Order"),
        ("from .models import Order", "'list[Order]'", "list[shop.models.Order]"),
        ("from . import models", "models.Order", "shop.models.Order"),
        ("import shop.models", "shop.models.Order", "shop.models.Order"),
        ("import shop.models as m", "m.Order | None", "shop.models.Order | None"),
        ("from .models import *", "Order", "shop.models.Order"),
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .models import Order",
            "'Order'",
            "shop.models.Order",
        ),
        (
            "import typing\nif not typing.TYPE_CHECKING:\n    Order = int\nelse:\n    from .models import Order",
            "Order",
            "shop.models.Order",
        ),
        ("try:\n    from .models import Order\nexcept ImportError:\n    Order = None", "Order", "shop.models.Order"),
        ("from .models import Order\nAlias = Order", "Alias", "shop.models.Order"),
        ("from .models import Order\nOrders = list[Order] | None", "Orders", "list[shop.models.Order] | None"),
        (
            "from .models import Order\nOrders = list[Order] | None",
            "Orders | int",
            "list[shop.models.Order] | int | None",
        ),
    ],
)
def test_a_model_is_found_however_the_handler_imports_it(
    tmp_path: Path, imports: str, annotation: str, expected: str
) -> None:
    assert read(tmp_path, imports, annotation) == expected


MODELS = """
from __future__ import annotations
import enum
from collections import namedtuple
from dataclasses import dataclass
from typing import Generic, NamedTuple, NewType, TypedDict, TypeVar, Union
from typing_extensions import TypeAlias
from pydantic import BaseModel
import pydantic.dataclasses
T = TypeVar("T")
class Base(BaseModel): ...
class Order(Base):
    class Status(enum.Enum):
        OPEN = 1
class Page(Base, Generic[T]): ...
class Color(str, enum.Enum):
    RED = "red"
Size = enum.Enum("Size", "S M")
@dataclass(frozen=True)
class Point: ...
@pydantic.dataclasses.dataclass
class Spot: ...
class Row(TypedDict): ...
class Pair(NamedTuple): ...
Old = namedtuple("Old", "a b")
UserId = NewType("UserId", int)
Ids: TypeAlias = "list[UserId]"
Either = Union[Order, Point]
Pages = list[Page[T]]
class Custom:
    @classmethod
    def __get_pydantic_core_schema__(cls, source, handler): ...
Tree = Union[int, "list[Tree]"]
"""


@pytest.mark.parametrize(
    "name",
    [
        "Order",
        "Order.Status",
        "Color",
        "Size",
        "Point",
        "Spot",
        "Row",
        "Pair",
        "Old",
        "UserId",
        "Ids",
        "Either",
        "Custom",
        "Tree",
    ],
)
def test_every_kind_of_model_keeps_its_name(tmp_path: Path, name: str) -> None:
    top = name.partition(".")[0]
    assert read(tmp_path, f"from .models import {top}", name, MODELS) == f"shop.models.{name}"


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        ("m.Page[m.Order]", "shop.models.Page[shop.models.Order]"),
        ("m.Pages[m.Order]", "shop.models.Pages[shop.models.Order]"),
        ("t.Literal[m.Color.RED]", "typing.Literal[shop.models.Color.RED]"),
        ("dict[m.Color, int]", "dict[shop.models.Color, int]"),
        ("dict[m.UserId, int]", "dict[shop.models.UserId, int]"),
    ],
)
def test_generics_and_members_are_written_as_the_handler_wrote_them(
    tmp_path: Path, annotation: str, expected: str
) -> None:
    assert read(tmp_path, "from . import models as m\nimport typing as t", annotation, MODELS) == expected


def test_a_reexport_keeps_the_public_path_and_knows_its_home(tmp_path: Path) -> None:
    files = {
        "shop/api/__init__.py": "from .types import *\nfrom ._impl import Hidden as Shown",
        "shop/api/types.py": "from ..models import Order\n__all__ = ['Order']",
        "shop/api/_impl.py": "from pydantic import BaseModel\nclass Hidden(BaseModel): ...",
        "shop/tasks.py": (
            "from stem import task\nfrom shop.api import Order, Shown\n@task\ndef run(a: Order, b: Shown) -> None: ..."
        ),
    }
    order, shown = (each.type.symbols[0] for each in only_task(scan(tmp_path, files)).parameters)
    assert (order.import_module, order.name, order.home) == ("shop.api", "Order", "shop.models:Order")
    assert (shown.import_module, shown.name, shown.home) == ("shop.api", "Shown", "shop.api._impl:Hidden")


def test_a_name_of_another_package_that_the_tree_reexports_is_taken_from_that_package(tmp_path: Path) -> None:
    assert (
        read(tmp_path, "from .types import Decimal", "Decimal", types="from decimal import Decimal")
        == "decimal.Decimal"
    )


def test_a_model_imported_over_a_handler_module_is_taken_from_its_home(tmp_path: Path) -> None:
    tasks = "from stem import task\nfrom .models import Order\n@task\ndef first(o: Order) -> None: ..."
    other = "from stem import task\nfrom .tasks import Order\n@task\ndef second(o: Order) -> None: ..."
    result = scan_tasks(tmp_path, tasks, other=other)
    assert result.diagnostics == ()
    assert [text(task.parameters[0].type) for task in result.package.tasks] == ["shop.models.Order"] * 2


def test_a_circle_of_reexports_is_unresolved_and_ends(tmp_path: Path) -> None:
    result = scan_tasks(
        tmp_path,
        HEAD + "from .a import X\n@task\ndef run(x: X) -> None: ...",
        a="from .b import X",
        b="from .a import X",
    )
    assert codes(result) == ["STL102"]


@pytest.mark.parametrize(
    ("imports", "annotation", "note"),
    [
        ("", "Ordr", "this module does not define it"),
        ("from .models import Ordr", "Ordr", "`shop.models` has no name `Ordr`"),
        ("from .gone import Order", "Order", "there is no module `shop.gone`"),
        ("from outside import *", "Order", "`shop.tasks` star-imports from `outside`, which cannot be followed"),
        ("Order = make()", "Order", "it is made by the call `make(...)`"),
        ("from . import models", "models", "`shop.models` is a module, not a type"),
        ("from shop._stem.definitions import x", "x", "generated modules define no types"),
        ("", "'list['", ""),
        ("", "1", "not a type"),
        ("", "f(1)", "not a type"),
        ("from .models import Order", "Order.id", "not a type"),
        ("def helper(): ...", "helper", "not a type"),
        ("from typing import Literal", "Literal[f(1)]", "not a literal"),
    ],
)
def test_what_cannot_be_resolved_says_why(tmp_path: Path, imports: str, annotation: str, note: str) -> None:
    result = scan_tasks(tmp_path, f"{HEAD}{imports}\n@task\ndef run(value: {annotation}) -> None: ...\n")
    assert the(result, "STL102").note == note
    assert result.package.tasks == ()


@pytest.mark.parametrize(
    ("imports", "annotation", "shown"),
    [
        ("class Plain: ...", "list[Plain]", "`shop.tasks.Plain` cannot be sent through a queue"),
        ("from abc import ABC\nclass Plain(ABC): ...", "Plain", "`shop.tasks.Plain` cannot be sent through a queue"),
        ("from sqlalchemy.orm import Session", "Session", "`sqlalchemy.orm.Session` cannot be sent through a queue"),
        (
            "from collections.abc import Callable",
            "Callable[[int], str]",
            "`collections.abc.Callable` cannot be sent through a queue",
        ),
        ("import threading", "threading.Lock", "`threading.Lock` cannot be sent through a queue"),
        ("", "bytearray", "`bytearray` cannot be sent through a queue"),
        ("", "dict[bytes, int]", "a map with keys of type `bytes` cannot be sent"),
        ("", "dict[tuple[int, int], int]", "a map with keys of type `tuple` cannot be sent"),
        ("from .models import Order", "dict[Order, int]", "a map with keys of type `Order` cannot be sent"),
    ],
)
def test_what_has_no_json_form_cannot_be_sent(tmp_path: Path, imports: str, annotation: str, shown: str) -> None:
    result = scan_tasks(tmp_path, f"{HEAD}{imports}\n@task\ndef run(value: {annotation}) -> None: ...\n")
    assert the(result, "STL103").message == shown


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        ("dict[str, Any]", "dict[str, typing.Any]"),
        ("list", "list[typing.Any]"),
        ("dict", "dict[typing.Any, typing.Any]"),
        ("tuple", "tuple[typing.Any, ...]"),
        ("object", "object"),
    ],
)
def test_a_type_that_accepts_everything_is_a_warning(tmp_path: Path, annotation: str, expected: str) -> None:
    result = scan_tasks(tmp_path, f"{HEAD}from typing import Any\n@task\ndef run(v: {annotation}) -> None: ...")
    assert the(result, "STL104").severity is Severity.WARNING
    assert text(result.package.tasks[0].parameters[0].type) == expected


def test_an_unbound_type_variable_is_an_error(tmp_path: Path) -> None:
    source = f"{HEAD}from typing import TypeVar\nT = TypeVar('T')\n@task\ndef run(v: list[T]) -> None: ..."
    found = the(scan_tasks(tmp_path, source), "STL104")
    assert (found.severity, found.message) == (Severity.ERROR, "type variable `T` is unbound")


def test_a_problem_inside_quoted_text_points_at_the_quotation(tmp_path: Path) -> None:
    found = the(scan_tasks(tmp_path, f"{HEAD}@task\ndef run(v: 'list[Gone]') -> None: ..."), "STL102")
    assert found.place is not None
    assert (found.place.line, found.place.column, found.place.end_column) == (3, 12, 24)


def test_columns_count_characters_not_bytes(tmp_path: Path) -> None:
    found = the(scan_tasks(tmp_path, f"{HEAD}@task\ndef run(größe: int = 1, v: Gone = 2) -> None: ..."), "STL102")
    assert found.place is not None
    assert (found.place.column, found.place.end_column) == (28, 32)
