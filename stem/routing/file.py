"""Rules from a YAML file; each mistake is told with its line and column."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from stem.clock import parse_duration
from stem.errors import ConfigError
from stem.routing.rules import BUILT_IN_QUEUE, QueueRules, Route, Routing
from stem.tasks.options import DefinitionOptions

if TYPE_CHECKING:
    import yaml

__all__ = ["read_routing"]

T = TypeVar("T")

_DURATIONS: Final = frozenset({"expires", "unique_for", "result_ttl"})
_OPTIONS: Final = frozenset(DefinitionOptions.__annotations__) - {"queue"}


def read_routing(path: Path) -> Routing:
    """The rules in a file. Raises `ConfigError` for a file that cannot be read, and for whatever in it is no rule."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            expected=f"a routing file that can be read: {path}", found=str(error), do="Correct the path."
        ) from None
    root = _compose(path, text)
    return Routing() if root is None else _routing(Part(path, root))


def _compose(path: Path, text: str) -> yaml.Node | None:
    try:
        import yaml
    except ModuleNotFoundError:
        raise ConfigError(
            expected="a reader of YAML", found="no module 'yaml'", do="Install it: pip install 'stem-jobs[yaml]'"
        ) from None
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = path if mark is None else f"{path}:{mark.line + 1}:{mark.column + 1}"
        raise ConfigError(expected="YAML", found=f"{place}: {error.problem}", do="Correct the file.") from None
    return node


@dataclass(frozen=True, slots=True)
class Part:
    """One value of the file, and where it stands."""

    path: Path
    node: yaml.Node

    def wrong(self, expected: str, found: str | None = None) -> ConfigError:
        """The error of this value."""
        mark = self.node.start_mark
        shown = repr(self.value()) if found is None else found
        place = f"{self.path}:{mark.line + 1}:{mark.column + 1}"
        return ConfigError(expected=expected, found=f"{shown} at {place}", do="Correct the file.")

    def value(self) -> object:
        """What it says, as a plain value."""
        import yaml

        loader: Any = yaml.SafeLoader("")
        try:
            made: object = loader.construct_document(self.node)
        except yaml.YAMLError:
            raise self.wrong("a plain value", f"one of the tag {self.node.tag}") from None
        finally:
            loader.dispose()
        return made

    def fields(self, *known: str) -> Mapping[str, Part]:
        """Its entries by name. Without `known` names, any are right."""
        if type(self.node).__name__ != "MappingNode":
            raise self.wrong("a mapping")
        found: dict[str, Part] = {}
        for key, value in self.node.value:
            name = Part(self.path, key)
            if known and name.text() not in known:
                raise name.wrong(f"a key among {', '.join(known)}")
            if name.text() in found:
                raise name.wrong("each key once")
            found[name.text()] = Part(self.path, value)
        return found

    def items(self) -> list[Part]:
        """Its entries in order; one that stands alone is a list of one."""
        if type(self.node).__name__ == "SequenceNode":
            return [Part(self.path, node) for node in self.node.value]
        return [self]

    def text(self) -> str:
        """A text that is not empty."""
        value = self.value()
        if not isinstance(value, str) or not value:
            raise self.wrong("a text")
        return value

    def texts(self) -> tuple[str, ...]:
        """One text or several."""
        return tuple(item.text() for item in self.items())

    def number(self) -> int:
        """A whole number."""
        value = self.value()
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.wrong("a whole number")
        return value

    def flag(self) -> bool:
        """True or false."""
        value = self.value()
        if not isinstance(value, bool):
            raise self.wrong("true or false")
        return value

    def checked(self, make: Callable[[], T]) -> T:
        """What is made of it; an error gets its place."""
        try:
            return make()
        except ConfigError as error:
            raise self.wrong(error.expected, error.found) from None


def _routing(root: Part) -> Routing:
    fields = root.fields("default_queue", "queues", "routes")
    queues = {} if "queues" not in fields else {name: _queue(part) for name, part in fields["queues"].fields().items()}
    default = fields["default_queue"].text() if "default_queue" in fields else BUILT_IN_QUEUE
    if "default_queue" in fields:
        fields["default_queue"].checked(lambda: Routing(queues=queues, default_queue=default))
    routes = fields["routes"].items() if "routes" in fields else []
    made = tuple(_route(part, queues) for part in routes)
    return root.checked(lambda: Routing(routes=made, queues=queues, default_queue=default))


def _queue(part: Part) -> QueueRules:
    if part.value() is None:
        return QueueRules()
    fields = part.fields("aliases", "priorities", "defaults")
    aliases = fields["aliases"].texts() if "aliases" in fields else ()
    priorities = _priorities(fields["priorities"]) if "priorities" in fields else (0, 9)
    defaults = _defaults(fields["defaults"]) if "defaults" in fields else DefinitionOptions()
    return part.checked(lambda: QueueRules(aliases=aliases, priorities=priorities, defaults=defaults))


def _priorities(part: Part) -> tuple[int, int]:
    numbers = [item.number() for item in part.items()]
    if len(numbers) != 2:
        raise part.wrong("two priorities, the lower first")
    low, high = numbers
    return low, high


def _defaults(part: Part) -> DefinitionOptions:
    given: dict[str, object] = {}
    for name, value in part.fields(*sorted(_OPTIONS)).items():
        given[name] = _duration(value) if name in _DURATIONS else value.texts() if name == "tags" else value.value()
        alone = cast("DefinitionOptions", {name: given[name]})
        value.checked(partial(QueueRules, defaults=alone))
    return cast("DefinitionOptions", given)


def _duration(part: Part) -> timedelta | None:
    if part.value() is None:
        return None
    try:
        return parse_duration(str(part.value()))
    except ValueError as error:
        raise part.wrong("a duration such as 30s, 5m, 1h30m or 7d") from error


def _route(part: Part, queues: Mapping[str, QueueRules]) -> Route:
    fields = part.fields("match", "queue", "priority", "broadcast")
    if "match" not in fields:
        raise part.wrong("a route with `match`", "none")
    match = fields["match"].fields("task", "tags", "headers", "queue")
    headers = match["headers"].fields() if "headers" in match else dict[str, Part]()
    queue = fields["queue"].text() if "queue" in fields else None
    route = part.checked(
        lambda: Route(
            queue=queue,
            priority=fields["priority"].number() if "priority" in fields else None,
            broadcast=fields["broadcast"].flag() if "broadcast" in fields else None,
            task=match["task"].texts() if "task" in match else (),
            tags=match["tags"].texts() if "tags" in match else (),
            headers={name: value.text() for name, value in headers.items()},
            from_queue=match["queue"].text() if "queue" in match else None,
        )
    )
    if queue is not None:
        fields["queue"].checked(lambda: Routing(routes=(route,), queues=queues))
    return route
