"""Which classes pydantic can read and write: decided from their bases and decorators, transitively, in source."""

from __future__ import annotations

import ast
import sys
from enum import Enum
from typing import Final

from stem_builder.scan.exports import Defined
from stem_builder.scan.resolve import Found, Outside, Resolver, Unresolved, dotted

__all__ = ["GENERIC_ARITY", "Kind", "classify", "is_stdlib", "outside_kind"]


class Kind(Enum):
    """What a class is to a queue; `UNKNOWN` comes from outside the tree and is trusted until schemas are made."""

    MODEL = "model"
    ENUM = "enum"
    SCALAR = "scalar"
    CONTAINER = "container"
    UNKNOWN = "unknown"
    REFUSED = "refused"


_SCALARS: Final = frozenset(
    {f"builtins.{name}" for name in ("int", "str", "float", "bool", "bytes", "complex")}
    | {f"datetime.{name}" for name in ("datetime", "date", "time", "timedelta")}
    | {f"pathlib.{name}" for name in ("Path", "PurePath", "PosixPath", "PurePosixPath", "PureWindowsPath")}
    | {f"ipaddress.IPv{version}{name}" for version in (4, 6) for name in ("Address", "Network", "Interface")}
    | {"decimal.Decimal", "fractions.Fraction", "uuid.UUID", "re.Pattern", "zoneinfo.ZoneInfo", "os.PathLike"}
)

GENERIC_ARITY: Final = {
    **dict.fromkeys(("builtins.list", "builtins.set", "builtins.frozenset", "collections.deque"), 1),
    **{f"collections.abc.{name}": 1 for name in ("Sequence", "MutableSequence", "Set", "MutableSet")},
    **{f"collections.abc.{name}": 2 for name in ("Mapping", "MutableMapping")},
    **dict.fromkeys(("builtins.dict", "collections.defaultdict", "collections.OrderedDict"), 2),
    "collections.Counter": 1,
    "builtins.tuple": 1,
}
"""Containers that travel: how many arguments one without any stands for."""

_MODEL_BASES: Final = frozenset({"typing.NamedTuple", "typing.TypedDict", "typing_extensions.TypedDict"})
_NEUTRAL_BASES: Final = frozenset(
    {"builtins.object", "abc.ABC", "typing.Generic", "typing_extensions.Generic", "typing.Protocol"}
)
_DATACLASSES: Final = frozenset({"dataclasses.dataclass", "pydantic.dataclasses.dataclass"})
_OWN_SCHEMA: Final = frozenset({"__get_pydantic_core_schema__", "__pydantic_core_schema__"})
_REFUSED_PREFIXES: Final = ("sqlalchemy.", "attr.", "attrs.", "msgspec.", "django.db.", "httpx.", "requests.", "torch.")
_REFUSED_BASES: Final = (*_REFUSED_PREFIXES, "builtins.")


def is_stdlib(module: str) -> bool:
    """Whether a module belongs to Python itself."""
    return module.partition(".")[0] in sys.stdlib_module_names


def outside_kind(target: Outside) -> Kind:
    """What a class from outside the tree is: the standard library by a list, other packages by trust."""
    full = f"{target.module}.{target.name}"
    if full in _SCALARS:
        return Kind.SCALAR
    if full in GENERIC_ARITY:
        return Kind.CONTAINER
    if target.module == "builtins" or is_stdlib(target.module) or full.startswith(_REFUSED_PREFIXES):
        return Kind.REFUSED
    return Kind.UNKNOWN


def classify(found: Found, resolver: Resolver, *, seen: frozenset[str] = frozenset()) -> Kind:
    """What a class of the tree is: a model, an enum, or a plain class, which cannot be sent."""
    node = found.binding.node if isinstance(found.binding, Defined) else None
    key = f"{found.module.name}:{found.qualname}"
    if not isinstance(node, ast.ClassDef) or key in seen:
        return Kind.REFUSED
    if _has_own_schema(node) or _is_dataclass(node, found, resolver):
        return Kind.MODEL
    kinds = [_base_kind(base, found, resolver, seen=seen | {key}) for base in node.bases]
    for kind in (Kind.ENUM, Kind.MODEL, Kind.UNKNOWN):
        if kind in kinds:
            return kind
    return Kind.REFUSED


def _base_kind(base: ast.expr, found: Found, resolver: Resolver, *, seen: frozenset[str]) -> Kind:
    name = dotted(base.value if isinstance(base, ast.Subscript) else base)
    if not name:
        return Kind.UNKNOWN
    target = resolver.follow(found.module, name)
    if isinstance(target, Found):
        return classify(target, resolver, seen=seen)
    if isinstance(target, Unresolved):
        return Kind.UNKNOWN
    return _outside_base(f"{target.module}.{target.name}")


def _outside_base(full: str) -> Kind:
    if full in _MODEL_BASES or full.startswith("pydantic"):
        return Kind.MODEL
    if full.startswith("enum."):
        return Kind.ENUM
    if full in _NEUTRAL_BASES or full.startswith(_REFUSED_BASES) or is_stdlib(full):
        return Kind.REFUSED
    return Kind.UNKNOWN


def _is_dataclass(node: ast.ClassDef, found: Found, resolver: Resolver) -> bool:
    for decorator in node.decorator_list:
        name = dotted(decorator.func if isinstance(decorator, ast.Call) else decorator)
        target = resolver.follow(found.module, name) if name else None
        if isinstance(target, Outside) and f"{target.module}.{target.name}" in _DATACLASSES:
            return True
    return False


def _has_own_schema(node: ast.ClassDef) -> bool:
    return any(isinstance(each, ast.FunctionDef) and each.name in _OWN_SCHEMA for each in node.body)
