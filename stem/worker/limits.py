"""What a worker declares of its tasks' limits."""

from __future__ import annotations

from stem.contracts.limits import TaskLimit
from stem.errors import ConfigError
from stem.tasks.definition import Binding
from stem.tasks.rates import Rate, parse_rate

__all__ = ["limit_of"]


def limit_of(binding: Binding) -> TaskLimit:
    """The limit of a task under its present name. Raises `ConfigError`, which names it, for a rate that is none."""
    options = binding.options
    rate = None if options.rate_limit is None else _rate(binding.name, options.rate_limit)
    return TaskLimit(name=binding.name, shared=binding.name, rate=rate, concurrency=options.concurrency)


def _rate(task: str, text: str) -> Rate:
    try:
        return parse_rate(text)
    except ConfigError as error:
        raise ConfigError(expected=f"in task '{task}', {error.expected}", found=error.found, do=error.do) from None
