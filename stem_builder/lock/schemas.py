"""Asks the child process for the schemas of a project's annotations: one process for all of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from stem.errors import BuildError
from stem_builder.lock.normalise import Schema, canonical, normalise
from stem_builder.lock.opaque import opaque_schema
from stem_builder.model import TypeRef

__all__ = ["Problem", "Schemas", "TypeSchema", "collect_schemas"]

_CHILD: Final = Path(__file__).with_name("child.py")
_TIMEOUT: Final = 30.0


@dataclass(frozen=True, slots=True)
class TypeSchema:
    """What one annotation accepts and, where it differs, what it is written as; `opaque` when it was not imported."""

    validation: Schema
    serialization: Schema
    opaque: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an annotation has no schema: `kind` is "forbidden", "import", "missing" or "schema"."""

    kind: str
    subject: str
    message: str = ""


Schemas = Mapping[TypeRef, TypeSchema | Problem]


def collect_schemas(
    annotations: Sequence[TypeRef],
    *,
    roots: Sequence[Path],
    handlers: frozenset[str],
    packages: Sequence[str],
    timeout: float = _TIMEOUT,
) -> Schemas:
    """The normalised schema of each annotation, or what stands in its way.

    A type that lives in a handler module is never imported: its schema is opaque and changes with its source text.
    Raises `BuildError` when the child dies or does not answer within `timeout` seconds.
    """
    found: dict[TypeRef, TypeSchema | Problem] = {}
    for ref in dict.fromkeys(annotations):
        schema = opaque_schema(ref, roots=roots, handlers=handlers)
        if schema is not None:
            found[ref] = TypeSchema(schema, schema, opaque=True)
    wanted = [ref for ref in dict.fromkeys(annotations) if ref not in found]
    request = {
        "roots": [str(root) for root in roots],
        "forbidden": sorted(handlers),
        "outputs": [f"{package}._stem" for package in packages],
        "annotations": [_parts(ref) for ref in wanted],
    }
    results = _ask(request, timeout) if wanted else []
    return found | {ref: _result(answer) for ref, answer in zip(wanted, results, strict=True)}


def _parts(ref: TypeRef) -> list[str | dict[str, str]]:
    return [part if isinstance(part, str) else {"home": part.home} for part in ref.parts]


def _ask(request: Mapping[str, object], timeout: float) -> list[dict[str, object]]:
    # As isolated as `-I`, which cannot fix the hash seed: a set as a field's default must print the same every time.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and our own file
            [sys.executable, "-s", "-P", str(_CHILD)],
            input=json.dumps(request),
            env=environment | {"PYTHONHASHSEED": "0", "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BuildError(
            expected=f"the model modules to be imported within {timeout:g} seconds",
            found="no answer in that time",
            do="Look for a model module that waits for something (a server, a lock, input) when it is imported.",
        ) from error
    if done.returncode != 0:
        raise BuildError(
            expected="the model modules to be imported by a child process",
            found=f"exit status {done.returncode}: {done.stderr.strip()[-1000:] or 'no message'}",
            do="Correct the module that ends the process when it is imported.",
        )
    return cast("dict[str, list[dict[str, object]]]", json.loads(done.stdout))["results"]


def _result(answer: Mapping[str, object]) -> TypeSchema | Problem:
    kind = answer.get("error")
    if kind == "forbidden":
        return Problem("forbidden", " -> ".join(cast("list[str]", answer["chain"])))
    if kind is not None:
        subject = answer.get("module") or answer.get("home") or ""
        return Problem(str(kind), str(subject), str(answer.get("message", "")))
    validation = normalise(cast("Schema", answer["validation"]))
    serialization = normalise(cast("Schema", answer["serialization"]))
    same = canonical(validation) == canonical(serialization)
    return TypeSchema(validation, validation if same else serialization)
