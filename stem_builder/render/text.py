"""Python text from values: string literals, docstrings and headers, the same bytes on every machine."""

from __future__ import annotations

import hashlib
import re
from typing import Final

__all__ = ["BODY_LINE", "docstring", "quote", "seal", "sealed_body"]

BODY_LINE: Final = re.compile(r"^# stem-body: sha256:([0-9a-f]{16})\n", re.MULTILINE)
# Controls, line separators, marks that turn the reading direction, lone surrogates, the byte order mark. Written out,
# because what counts as printable differs between versions of Python.
_UNSAFE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff]"
)


def quote(value: str) -> str:
    """The string as a double-quoted literal on one line."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{_visible(escaped)}"'


def docstring(text: str, indent: str) -> str:
    """The body of a triple-quoted docstring, indented after its first line; no text can end the literal early."""
    escaped = _visible(text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"'))
    first, *rest = (line.rstrip() for line in escaped.split("\n"))
    return "\n".join([first, *(f"{indent}{line}" if line else "" for line in rest)])


def seal(text: str) -> str:
    """The text with the hash of everything else in its `# stem-body:` line, which the text must have."""
    return BODY_LINE.sub(f"# stem-body: sha256:{_digest(text)}\n", text, count=1)


def sealed_body(text: str) -> bool:
    """Whether the text is exactly what was sealed: False after any edit, and for a text that has no seal."""
    found = BODY_LINE.search(text)
    return found is not None and found.group(1) == _digest(text)


def _digest(text: str) -> str:
    return hashlib.sha256(BODY_LINE.sub("", text, count=1).encode()).hexdigest()[:16]


def _visible(text: str) -> str:
    """Characters that break a line, a file or an encoding become escapes."""
    return _UNSAFE.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    code = ord(found.group())
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"
