"""From a task and what its caller asked for to the options with which it is published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final, cast

from stem.routing.rules import QueueRules, Route, Routing
from stem.tasks.options import EnqueueOptions, PublishOptions, merge_options

__all__ = ["Router"]

_REMEMBERED: Final = 1_000
_NO_RULES: Final = QueueRules()


class Router:
    """Applies the rules of one application; what it remembers is only which routes can fit a name."""

    def __init__(self, routing: Routing) -> None:
        self._routing = routing
        self._names: Mapping[str, str] = routing.names
        self._routes_for = lru_cache(_REMEMBERED)(self._find_routes)

    def options(self, name: str, defaults: EnqueueOptions, given: EnqueueOptions) -> PublishOptions:
        """The options of a task: the application's defaults, those of its queue, its own, and what its route says."""
        asked = merge_options(defaults, given)
        route = self._route(name, asked)
        queue = self.queue(asked.queue if route is None or route.queue is None else route.queue)
        rules = self._routing.queues.get(queue, _NO_RULES)
        if rules.defaults:
            asked = merge_options(defaults, cast("EnqueueOptions", rules.defaults), given)
        priority = asked.priority if route is None or route.priority is None else route.priority
        low, high = rules.priorities
        broadcast = asked.broadcast if route is None or route.broadcast is None else route.broadcast
        return _placed(asked, queue, min(max(priority, low), high), broadcast=broadcast)

    def queue(self, name: str) -> str:
        """The queue that a name or an alias means."""
        return self._names.get(name, name)

    def _route(self, name: str, asked: PublishOptions) -> Route | None:
        return next((route for route in self._routes_for(name) if self._fits(route, asked)), None)

    def _find_routes(self, name: str) -> tuple[Route, ...]:
        return tuple(
            route
            for route in self._routing.routes
            if not route.task or any(fnmatchcase(name, glob) for glob in route.task)
        )

    def _fits(self, route: Route, asked: PublishOptions) -> bool:
        return (
            (route.from_queue is None or self.queue(route.from_queue) == self.queue(asked.queue))
            and set(route.tags) <= set(asked.tags)
            and route.headers.items() <= asked.headers.items()
        )


def _placed(asked: PublishOptions, queue: str, priority: int, *, broadcast: bool) -> PublishOptions:
    if (queue, priority, broadcast) == (asked.queue, asked.priority, asked.broadcast):
        return asked
    return replace(asked, queue=queue, priority=priority, broadcast=broadcast)
