"""The text of every rule, without its code: purpose, severity, whether it yields to a suppression, explanation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from stem_builder.diagnostics import Severity

__all__ = ["CATALOGUE", "Entry"]


@dataclass(frozen=True, slots=True)
class Entry:
    """What is said about one rule. A suppressible one yields to `# stem: noqa[CODE]`: output can be written."""

    purpose: str
    explanation: str
    severity: Severity = Severity.ERROR
    suppressible: bool = False


def _warning(purpose: str, explanation: str) -> Entry:
    return Entry(purpose, explanation, Severity.WARNING, suppressible=True)


CATALOGUE: Final[Mapping[str, Entry]] = {
    "STL001": Entry(
        "a task stands inside a function or a class",
        "A worker finds a handler by its module and its name, so a function that exists only while another one runs, "
        "or only on a class, cannot be a task. Move it to the top level of its module.",
    ),
    "STL002": Entry(
        "a task's function is private",
        "The generated registry names the function from another module, which a leading underscore forbids, and type "
        "checkers report it. Remove the underscore.",
        suppressible=True,
    ),
    "STL003": Entry(
        "a task name, or a function, is declared twice",
        "A message carries only the task's name, so a name belongs to one handler in the whole package, and an alias "
        "counts as a name. A function that is defined twice in one module leaves only the last one to bind.",
    ),
    "STL004": Entry(
        "a task's name is not known before the code runs",
        "stem-build reads source and never runs it, so `name=` and `attr=` must be string literals, or constants of a "
        "module that are string literals.",
    ),
    "STL005": Entry(
        "two definitions would have the same name, or one that cannot be used",
        "Definitions are plain names of one module: each must be an identifier, public, no keyword, and different from "
        "all others. Give one of them another with `attr=`.",
    ),
    "STL008": Entry(
        "a task is registered where stem-build cannot see it",
        "Only `@task` above a function at the top level of a module is visible in source. A call such as `task(f)`, a "
        "decorator in a loop or below a condition makes tasks that depend on how the module runs. Write the decorator "
        "above each function, or register such functions by hand with `Registry.of`.",
        suppressible=True,
    ),
    "STL101": Entry(
        "an annotation is missing",
        "Producers are checked against the annotations of the handler, so every parameter has one, and the result too: "
        "`-> None` where there is none.",
    ),
    "STL102": Entry(
        "an annotation cannot be resolved",
        "Names are followed through imports, re-exports and aliases by reading source. A star import from outside the "
        "source roots, a class made by a call, or a name that nothing defines ends that way. Import the name itself.",
    ),
    "STL103": Entry(
        "a type cannot be sent through a queue",
        "Arguments and results travel as JSON, by the rules of pydantic. A connection, a session, a file, a function "
        "or a class that pydantic does not know cannot. Pass an id, or declare a model, a dataclass or a TypedDict.",
        suppressible=True,
    ),
    "STL104": Entry(
        "a type checks nothing",
        "`Any` and an unbound type variable accept everything, so producers learn of a mistake only when the worker "
        "fails. Declare a model. A type variable is an error: the definition has nothing to bind it to.",
        suppressible=True,
    ),
    "STL105": Entry(
        "the context is not the first positional parameter",
        "The worker passes the context by position, before the arguments, and it is no part of the definition. Only "
        "the first positional parameter may be annotated `TaskContext`, without a default and not inside another type.",
    ),
    "STL106": _warning(
        "a model lives in a handler module",
        "A producer that validates this type imports its module, and with it everything that the handlers import. Move "
        "the model to a module without handlers, for example `models.py`.",
    ),
    "STL107": Entry(
        "a task takes `*args` or `**kwargs`",
        "The arguments of a task travel as a map by name, with a type for each. Name each parameter, or take a model "
        "or a list.",
    ),
    "STL108": Entry(
        "a default is mutable",
        "Python makes a default once, so all runs in a process would share and change the same list. Use `None` or a "
        "tuple.",
        suppressible=True,
    ),
    "STL109": Entry(
        "a parameter is positional-only",
        "Arguments travel as a map by name, so every parameter must be reachable by name. Remove the `/`.",
    ),
    "STL110": Entry(
        "a model module imports a handler module",
        "Schemas are made by importing the modules of models in a child process where handler modules are forbidden, "
        "because a producer that uses a model would load the same chain. Break the chain that the message names.",
    ),
    "STL112": Entry(
        "a handler module imports the generated registry",
        "The registry imports every handler module, so this import is a circle and loads all handlers. Import "
        "`_stem.definitions` to enqueue other tasks.",
        suppressible=True,
    ),
    "STL113": _warning(
        "importing the definitions is not free",
        "Python imports the `__init__` of every package on the way to `_stem.definitions`. What that file imports, "
        "each producer loads. Empty it, or make the import lazy with a module-level `__getattr__`.",
    ),
    "STL114": Entry(
        "an option is unknown or has a wrong value",
        "Options of the definition are written into the generated module, so their values must be known in source: "
        "literals, constants of a module, or `timedelta(...)`, each within its range.",
    ),
    "STL115": Entry(
        "a key template does not fit the parameters",
        "`unique`, `rate_limit_key` and `concurrency_key` are `str.format` templates over the arguments by name, such "
        'as `"{order.id}"`. Positional fields and names that are no parameter cannot be filled.',
    ),
    "STL116": Entry(
        "a file cannot be read as Python",
        "Nothing in this file can be seen, so the output would silently lack its tasks. Correct the syntax, or run "
        "stem-build with the Python version that the file is written for.",
    ),
    "STL117": Entry(
        "the configured package is a lone module",
        "The output is a package inside yours, `shop/_stem`, and a single file has no inside. Make a folder of the "
        "module's name, move the file into it, and give it an empty `__init__.py`.",
    ),
    "STL118": Entry(
        "a model module cannot be imported",
        "Schemas are made by importing the modules of models in a child process. A producer imports the same modules, "
        "so they must load without a server, without settings and without the worker's packages. The message says what "
        "the import raised.",
    ),
    "STL119": Entry(
        "a soft time limit is not shorter than the hard one",
        "At the soft limit a handler is told, so that it can save what was done; at the hard limit it is ended. A soft "
        "limit that comes later would never be reached, and a worker refuses to start with it.",
    ),
    "STL120": Entry(
        "an upcast does not fit its task",
        "`@upcast(handler, from_version=1)` stands in the module of its handler, takes the arguments of the older "
        "version, each with its type, and gives the first argument of today's version, or a mapping with all of them. "
        "There is one for each older version. A worker refuses to start with any other.",
    ),
    "STL900": _warning(
        "a suppression has no effect",
        "A `# stem: noqa[CODE]` that hides nothing will hide the next real problem. Remove it. Rules without which no "
        "output can be written do not yield to a suppression.",
    ),
}
