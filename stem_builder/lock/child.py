"""The child process that turns annotations into JSON Schema: the only place where stem-build imports modules of yours.

Run by path, with nothing but the standard library and pydantic: a request on stdin, an answer on stdout, both JSON.

    request  {"roots": [folder], "forbidden": [module], "outputs": [package], "annotations": [[part, ...]]}
             a part is text, or {"home": "module:qualname"}
    answer   {"results": [{"validation": schema, "serialization": schema} | {"error": kind, ...}]}
             "forbidden": chain; "import": module, message; "missing": home; "schema": message

Modules that hold handlers are forbidden: importing one raises, whatever the importer catches is still reported, and the
answer names the chain. The packages in `outputs` are served empty, because they may not be written yet. What a module
prints goes to stderr.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import inspect
import json
import os
import sys
import warnings
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType


class Forbidden(ImportError):
    """A model module tried to import a module that declares tasks."""


class Unusable(Exception):
    """An annotation that has no schema; `data` is its answer."""

    def __init__(self, error: str, **data: object) -> None:
        super().__init__(error)
        self.data: dict[str, object] = {"error": error, **data}


class Placeholder:
    """Stands for a name of a package that is not generated yet; nothing can be done with it while models load."""


class EmptyModule(ModuleType):
    """A generated module before it exists: every public name is there and means nothing."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return Placeholder()


class Guard(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Refuses handler modules, notes who asked, and serves the generated packages empty."""

    def __init__(self, forbidden: Sequence[str], outputs: Sequence[str]) -> None:
        self.forbidden = frozenset(forbidden)
        self.outputs = frozenset(outputs)
        self.chains: list[list[str]] = []

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """A spec for what is served empty, nothing for what others may find; raises for what is forbidden."""
        if fullname in self.forbidden:
            self.chains.append([*loading_modules(), fullname])
            raise Forbidden(f"{fullname} declares tasks and is not imported for its schemas", name=fullname)
        if any(fullname == output or fullname.startswith(f"{output}.") for output in self.outputs):
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """A module without content."""
        return EmptyModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run."""


def loading_modules() -> list[str]:
    """The modules that are being imported right now, the outermost first."""
    names: list[str] = []
    frame: FrameType | None = inspect.currentframe()  # the import system keeps no other record of who imports whom
    while frame is not None:
        if frame.f_code.co_name == "<module>" and frame.f_globals.get("__name__") != "__main__":
            names.append(str(frame.f_globals.get("__name__")))
        frame = frame.f_back
    return names[::-1]


def answer(request: dict[str, Any]) -> dict[str, object]:
    """The schemas of all annotations, in the order of the request; one that fails does not stop the others."""
    sys.path[:0] = request["roots"]
    guard = Guard(request["forbidden"], request["outputs"])
    sys.meta_path.insert(0, guard)
    return {"results": [schemas(parts, guard) for parts in request["annotations"]]}


def schemas(parts: list[str | dict[str, str]], guard: Guard) -> dict[str, object]:
    """Both schemas of one annotation, or why there are none."""
    guard.chains.clear()
    try:
        annotation = evaluate(parts)
        if guard.chains:
            raise Unusable("forbidden", chain=guard.chains[0])
        return generate(annotation)
    except Unusable as error:
        return {"error": "forbidden", "chain": guard.chains[0]} if guard.chains else error.data


def evaluate(parts: list[str | dict[str, str]]) -> object:
    """The annotation as an object, from text of the user's own source with each type imported from its home."""
    names: dict[str, object] = {}
    words: list[str] = []
    for part in parts:
        if isinstance(part, str):
            words.append(part)
            continue
        name = f"_{len(names)}"
        names[name] = load(part["home"])
        words.append(name)
    try:
        return eval("".join(words), names)  # noqa: S307 - the text is an annotation of the user's own code
    except Exception as error:  # whatever the annotation raises is reported
        raise Unusable("schema", message=f"{type(error).__name__}: {error}") from error


def load(home: str) -> object:
    """The object at "module:qualname"."""
    name, _, qualname = home.partition(":")
    try:
        found: object = importlib.import_module(name)
    except BaseException as error:  # a module may raise anything, SystemExit too
        raise Unusable("import", module=name, message=f"{type(error).__name__}: {error}") from error
    for part in qualname.split("."):
        if not hasattr(found, part):
            raise Unusable("missing", home=home)
        found = getattr(found, part)
    return found


def generate(annotation: object) -> dict[str, object]:
    """What the worker accepts and what a result is written as."""
    from pydantic import TypeAdapter

    try:
        adapter = TypeAdapter(cast("type[object]", annotation))
        return {mode: adapter.json_schema(mode=mode) for mode in ("validation", "serialization")}
    except Exception as error:  # a custom schema of the user may raise anything
        raise Unusable("schema", message=str(error).partition("\n")[0]) from error


def main() -> None:
    """One request, one answer; whatever user code prints meanwhile cannot get into the answer."""
    channel = os.dup(1)
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    result = json.dumps(answer(json.load(sys.stdin)))
    with os.fdopen(channel, "w", encoding="utf-8") as stream:
        stream.write(result)
        stream.flush()
    os._exit(0)  # threads or exit handlers of user modules must not hold the build


if __name__ == "__main__":
    main()
