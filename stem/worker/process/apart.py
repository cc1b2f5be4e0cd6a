"""What a worker tells a child process of a task, and whether it can."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from stem.tasks.definition import Binding, TaskDefinition
from stem.tasks.envelope import Envelope
from stem.worker.held import Held
from stem.worker.process.messages import Begin, Setup
from stem.worker.process.references import is_found_at, place_of, reference_of

__all__ = ["Apart", "apart_of", "begin_of", "setup_of"]


@dataclass(frozen=True, slots=True)
class Apart:
    """Where a child process finds a handler, and its definition; without one it makes it by inspection."""

    handler: str
    definition: str | None
    wants_context: bool
    is_async: bool


def apart_of(binding: Binding) -> Apart:
    """Where a child finds this handler. Raises `ConfigError` for one that it cannot import."""
    handler = reference_of(binding.handler, what=f"the handler of task '{binding.name}'")
    return Apart(handler, _definition_of(binding), binding.wants_context, binding.is_async)


def setup_of(worker: str, lifespan: Callable[..., object] | None) -> Setup:
    """The first word to each child. Raises `ConfigError` for a lifespan that it cannot import."""
    place = None if lifespan is None else reference_of(lifespan, what="the lifespan")
    return Setup(list(sys.path), worker, logging.getLogger().getEffectiveLevel(), place)


def begin_of(apart: Apart, held: Held, envelope: Envelope) -> Begin:
    """One attempt, as a child is told of it."""
    delivery = held.delivery
    return Begin(
        number=0,
        handler=apart.handler,
        definition=apart.definition,
        wants_context=apart.wants_context,
        is_async=apart.is_async,
        task_id=delivery.fence.task_id,
        name=delivery.name,
        version=envelope.version,
        queue=delivery.queue,
        attempt=delivery.attempt,
        max_retries=delivery.max_retries,
        fence=delivery.fence.counter,
        headers=dict(envelope.headers),
        meta=dict(envelope.meta),
        deadline=held.deadline,
        cancelled=held.cancel_requested,
        body=envelope.payload,
    )


def _definition_of(binding: Binding) -> str | None:
    """A generated definition stands in its module under the name of its stub."""
    definition: object = binding.definition
    if not isinstance(definition, TaskDefinition):
        return None
    found = cast("TaskDefinition[..., object]", definition)
    place = place_of(found.stub)
    return place if is_found_at(place, found) else None
