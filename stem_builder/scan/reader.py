"""Reads modules of the tree, each once: text, syntax tree, export table."""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from dataclasses import dataclass
from pathlib import Path

from stem_builder.check import diagnose
from stem_builder.diagnostics import Diagnostic
from stem_builder.model import Place
from stem_builder.scan.exports import Exports, read_exports
from stem_builder.scan.modules import ModuleIndex, SourceModule

__all__ = ["Module", "ModuleReader"]


@dataclass(frozen=True, slots=True)
class Module:
    """One file, read: `lines` are UTF-8, because syntax trees count columns in bytes."""

    source: SourceModule
    data: bytes
    lines: tuple[bytes, ...]
    tree: ast.Module
    exports: Exports

    @property
    def name(self) -> str:
        """The dotted name."""
        return self.source.name

    def place(self, node: ast.expr | ast.stmt | ast.arg | ast.keyword) -> Place:
        """Where a node of this file stands."""
        end_line = node.end_lineno or node.lineno
        return Place(
            self.source.relative,
            node.lineno,
            self._column(node.lineno, node.col_offset),
            end_line,
            self._column(end_line, node.end_col_offset or node.col_offset),
        )

    def name_place(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Place:
        """Where the name of a definition stands, for a caret that is not the whole body."""
        line = self.lines[node.lineno - 1]
        start = line.find(node.name.encode(), node.col_offset + len("def "))
        column = self._column(node.lineno, max(start, node.col_offset))
        return Place(self.source.relative, node.lineno, column, node.lineno, column + len(node.name))

    def text(self, node: ast.expr) -> str:
        """The source of an expression on one line, as a message shows it."""
        if node.lineno == node.end_lineno:
            return self.lines[node.lineno - 1][node.col_offset : node.end_col_offset].decode("utf-8", errors="replace")
        return " ".join(ast.unparse(node).split())

    def _column(self, line: int, offset: int) -> int:
        return len(self.lines[line - 1][:offset].decode("utf-8", errors="replace")) + 1


class ModuleReader:
    """Gives modules by name; a file that is no Python is an empty module and one diagnostic."""

    def __init__(self, index: ModuleIndex) -> None:
        self.index = index
        self.broken: dict[str, Diagnostic] = {}
        self._modules: dict[str, Module | None] = {}

    def load(self, name: str) -> Module | None:
        """The module, or `None` when it is not in the tree, has no file or cannot be parsed."""
        if name not in self._modules:
            source = self.index.find(name)
            self._modules[name] = None if source is None else self._read(source)
        return self._modules[name]

    def add(self, source: SourceModule, data: bytes) -> Module | None:
        """The module of a file whose bytes are known already."""
        if source.name not in self._modules:
            self._modules[source.name] = self._parse(source, data)
        return self._modules[source.name]

    def refuse(self, module: Module, error: Exception) -> None:
        """Notes that another parser could not read a file that this one could."""
        self.broken[module.name] = _broken(module.source, SyntaxError(str(error)))

    def bytes_of(self, source: SourceModule) -> bytes | None:
        """The bytes of a file, or `None` and one problem when the system does not give them."""
        try:
            return source.path.read_bytes()
        except OSError as error:
            self.broken[source.name] = _unreadable(source, error.strerror or "cannot be read")
            return None

    def _read(self, source: SourceModule) -> Module | None:
        data = self.bytes_of(source)
        return None if data is None else self._parse(source, data)

    def _parse(self, source: SourceModule, data: bytes) -> Module | None:
        try:
            tree = _tree(data, source.relative)
        except (SyntaxError, ValueError, RecursionError) as error:
            self.broken[source.name] = _broken(source, error)
            return None
        exports = read_exports(tree, package=source.package if "." in source.name or source.is_package else "")
        return Module(source, data, _lines(data), tree, exports)


def _tree(data: bytes, filename: str) -> ast.Module:
    with warnings.catch_warnings():  # an escape that a later Python refuses is the linter's matter
        warnings.simplefilter("ignore")
        return ast.parse(data, filename=filename)


def _lines(data: bytes) -> tuple[bytes, ...]:
    if not data.isascii():
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        data = data.decode(encoding).encode()
    text = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return (*text.split(b"\n"), b"")


def _broken(source: SourceModule, error: SyntaxError | ValueError | RecursionError) -> Diagnostic:
    line = error.lineno if isinstance(error, SyntaxError) and error.lineno else 1
    column = error.offset if isinstance(error, SyntaxError) and error.offset else 1
    reason = error.msg if isinstance(error, SyntaxError) else str(error)
    place = Place(source.relative, line, max(column, 1), line, max(column, 1) + 1)
    return diagnose(
        "STL116",
        place,
        f"`{Path(source.relative).name}` cannot be read as Python",
        note=reason,
        help="correct the syntax, or run stem-build with the Python version the file is written for",
    )


def _unreadable(source: SourceModule, reason: str) -> Diagnostic:
    place = Place(source.relative, 1, 1, 1, 1)
    return diagnose(
        "STL116", place, f"`{Path(source.relative).name}` cannot be read", note=reason, help="make it readable"
    )
