"""Types that live beside handlers: never imported, so the lock knows them by their source text only."""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stem_builder.lock.normalise import Schema
    from stem_builder.model import Symbol, TypeRef

__all__ = ["opaque_schema"]


def opaque_schema(ref: TypeRef, *, roots: Sequence[Path], handlers: frozenset[str]) -> Schema | None:
    """A schema that changes with the source of its hidden types, or `None` when no type is in a handler module.

    The hash covers the text of the class (or of the assignment) alone: a change of a base class is not seen.
    """
    hidden = [symbol for symbol in ref.symbols if symbol.home.partition(":")[0] in handlers]
    if not hidden:
        return None
    text = "".join(part if isinstance(part, str) else part.home for part in ref.parts)
    return {"$opaque": text, "hash": _hash(_source(symbol, roots) for symbol in hidden)}


def _hash(texts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def _source(symbol: Symbol, roots: Sequence[Path]) -> str:
    module, _, qualname = symbol.home.partition(":")
    path = _module_file(module, roots)
    text = path.read_text(encoding="utf-8") if path else ""
    return _definition(text, qualname) or symbol.home


def _module_file(module: str, roots: Sequence[Path]) -> Path | None:
    relative = Path(*module.split("."))
    places = (root / name for root in roots for name in (relative.with_suffix(".py"), relative / "__init__.py"))
    return next((path for path in places if path.is_file()), None)


def _definition(text: str, qualname: str) -> str:
    """The text of a class or an assignment, without trailing spaces; empty when it is not written plainly."""
    body: list[ast.stmt] = ast.parse(text).body
    node: ast.stmt | None = None
    for name in qualname.split("."):
        node = next((one for one in body if _names(one) == name), None)
        if node is None:
            return ""
        body = node.body if isinstance(node, ast.ClassDef) else []
    segment = ast.get_source_segment(text, node) if node else None
    return "\n".join(line.rstrip() for line in (segment or "").splitlines())


def _names(node: ast.stmt) -> str | None:
    if isinstance(node, ast.ClassDef):
        return node.name
    target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", getattr(node, "name", None))
    return target.id if isinstance(target, ast.Name) else None
