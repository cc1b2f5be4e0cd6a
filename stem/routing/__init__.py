"""Which queue a task goes to: rules by name, tag and header, from code or from a file."""

from stem.routing.rules import QueueRules, Route, Routing

__all__ = ["QueueRules", "Route", "Routing"]
