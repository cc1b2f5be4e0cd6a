"""One spelling for each type: `typing.List` is `list`, `Optional[X]` is `X | None`, unions hold no member twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from stem_builder.model import Symbol
from stem_builder.scan.resolve import Outside

__all__ = ["ANY", "Parts", "canonical", "joined", "outside_symbol", "union"]

Parts: TypeAlias = "tuple[str | Symbol, ...]"

ANY: Final = Symbol("typing", "Any", "typing:Any")

_BUILTIN: Final = {"List": "list", "Dict": "dict", "Set": "set", "FrozenSet": "frozenset", "Tuple": "tuple"}
_BUILTIN_MORE: Final = {"Type": "type", "Text": "str"}
_COLLECTIONS: Final = {
    "Deque": "deque",
    "DefaultDict": "defaultdict",
    "OrderedDict": "OrderedDict",
    "Counter": "Counter",
    "ChainMap": "ChainMap",
}
_ABSTRACT: Final = (
    "Awaitable Coroutine AsyncIterable AsyncIterator AsyncGenerator Hashable Iterable Iterator Generator Reversible "
    "Sized Container Callable Collection MutableSet Mapping MutableMapping Sequence MutableSequence KeysView ItemsView "
    "ValuesView"
)
_MOVED: Final = {
    **{name: ("builtins", new) for name, new in (_BUILTIN | _BUILTIN_MORE).items()},
    **{name: ("collections", new) for name, new in _COLLECTIONS.items()},
    **{name: ("collections.abc", name) for name in _ABSTRACT.split()},
    "AbstractSet": ("collections.abc", "Set"),
    "Pattern": ("re", "Pattern"),
}
_HOMES: Final = {"pathlib._local": "pathlib", "pathlib._abc": "pathlib", "_decimal": "decimal"}


def canonical(target: Outside) -> Outside:
    """The place where a name of `typing` (or of its backport) lives today; any other name as it is."""
    if target.module in ("typing", "typing_extensions"):
        moved = _MOVED.get(target.name)
        return Outside(*moved) if moved else Outside("typing", target.name)
    return Outside(_HOMES.get(target.module, target.module), target.name)


def outside_symbol(target: Outside) -> Symbol:
    """A name from outside the tree: where it is imported from is taken for its home."""
    return Symbol(target.module, target.name, f"{target.module}:{target.name}")


def union(members: Iterable[Parts]) -> Parts:
    """`A | B`, each member once, in the order written, and `None` last."""
    kept = list(dict.fromkeys(members))
    kept.sort(key=lambda member: member == ("None",))
    return joined(kept, " | ")


def joined(items: Sequence[Parts], separator: str) -> Parts:
    """The items with a separator between them."""
    parts: list[str | Symbol] = []
    for index, item in enumerate(items):
        parts.extend((separator, *item) if index else item)
    return tuple(parts)
