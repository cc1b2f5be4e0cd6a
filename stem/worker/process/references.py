"""How a child process finds a function: by "module:qualname", or by the file of the script that was started."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
from functools import reduce
from pathlib import Path
from types import ModuleType
from typing import Final

from stem.errors import ConfigError

__all__ = ["is_found_at", "place_of", "reference_of", "resolve"]

_SCRIPT: Final = "__stem_main__"
"""The name of the module that a script is in a child process; there it is not `__main__`, so that its guard holds."""


def reference_of(function: object, *, what: str) -> str:
    """How a child process will find the function. Raises `ConfigError` for one that it cannot import."""
    reference = place_of(function)
    module, _, name = reference.rpartition(":")
    if "<" in name or not name:
        raise _unfound(what, f"`{name or function!r}`, which no import gives")
    if module == "__main__":
        reference = f"{_main(what)}:{name}"
    elif not is_found_at(reference, function):
        raise _unfound(what, f"another object, or none, at `{reference}`")
    return reference


def place_of(function: object) -> str:
    """Where a function says that it is defined."""
    return f"{getattr(function, '__module__', '')}:{getattr(function, '__qualname__', '')}"


def is_found_at(reference: str, value: object) -> bool:
    """Whether this is what an import of the reference gives."""
    try:
        return resolve(reference) is value
    except (ImportError, AttributeError, ValueError):
        return False


def resolve(reference: str) -> object:
    """What a reference names. Raises what its import raises."""
    module, _, name = reference.rpartition(":")
    found = _script(Path(module)) if module.endswith(".py") else importlib.import_module(module)
    return reduce(getattr, name.split("."), found)


def _main(what: str) -> str:
    """The module that was started: its own name with `python -m`, else its file."""
    main = sys.modules["__main__"]
    if main.__spec__ is not None and main.__spec__.name != "__main__":
        return main.__spec__.name.removesuffix(".__main__")
    file = getattr(main, "__file__", None)
    if file is None or not Path(file).is_file():
        raise _unfound(what, "a session without a file")
    path = Path(file).absolute()
    if not _is_guarded(path.read_text(encoding="utf-8")):
        raise _unfound(what, f'{path.name} without `if __name__ == "__main__":`, so that each import starts it again')
    return str(path)


def _is_guarded(source: str) -> bool:
    guards = (node.test for node in ast.parse(source).body if isinstance(node, ast.If))
    return any(isinstance(name, ast.Name) and name.id == "__name__" for test in guards for name in ast.walk(test))


def _script(path: Path) -> ModuleType:
    if _SCRIPT not in sys.modules:
        spec = importlib.util.spec_from_file_location(_SCRIPT, path)
        if spec is None or spec.loader is None:
            raise ImportError(f"{path} is no Python file")
        sys.modules[_SCRIPT] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[_SCRIPT])
    return sys.modules[_SCRIPT]


def _unfound(what: str, found: str) -> ConfigError:
    return ConfigError(
        expected=f"{what} to be importable by a child process",
        found=found,
        do='Define it at the top level of a module, under its own name; or use run_in="thread".',
    )
