"""Why a task is not running, or not finished, in words. What is known is gathered first; the words are pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from stem.client.wait import unknown_id
from stem.clock import Micros, from_micros
from stem.contracts.control import Pause, Revocation
from stem.contracts.groups import GroupRecord
from stem.contracts.heartbeats import WorkerRecord, serves
from stem.contracts.limits import Room
from stem.contracts.queries import QueueCount
from stem.contracts.store import Store
from stem.stores.copies import copies_of
from stem.tasks.broadcast import is_announcement, worker_of
from stem.tasks.links import GroupState
from stem.tasks.state import WAITING, TaskState
from stem.tasks.status import TaskRecord

__all__ = ["Facts", "Reason", "Why", "explain", "gather"]

_UNITS: Final = ((86_400_000_000, "d"), (3_600_000_000, "h"), (60_000_000, "min"))


@dataclass(frozen=True, slots=True)
class Reason:
    """One sentence, and what can be done about it; nothing needs to be done where `do` is empty."""

    text: str
    do: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Why a task stands where it stands: the reasons that hold now, what hinders it first."""

    id: str
    state: TaskState
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the store knows that can concern a task. Times are microseconds by the store's clock."""

    record: TaskRecord
    now: Micros
    workers: tuple[WorkerRecord, ...] = ()
    pause: Pause | None = None
    """Of its queue."""
    revocation: Revocation | None = None
    queue: QueueCount | None = None
    upstream: TaskRecord | None = None
    """The task that it continues, where that is still known."""
    group: GroupRecord | None = None
    """The group that it continues, or that it is a member of."""
    room: Room = field(default_factory=Room)
    """How its limits stand, where they hold it back."""
    copies: Mapping[str, TaskRecord] = field(default_factory=dict[str, TaskRecord])
    """Of a broadcast that was handed out, by worker."""


async def gather(store: Store, task_id: str) -> Facts:
    """Ask the store. Raises `UnknownId`."""
    record = (await store.get([task_id])).get(task_id)
    if record is None:
        raise unknown_id(task_id)
    after, member = record.after, record.member
    group = after.id if after is not None and after.kind == "group" else member.group if member else None
    upstream = after.id if after is not None and after.kind == "task" else None
    return Facts(
        record=record,
        now=await store.now(),
        workers=await store.workers(),
        pause=next((pause for pause in await store.pauses() if pause.queue == record.queue), None),
        revocation=next(iter(await store.revoked([task_id])), None),
        queue=next((count for count in await store.queues() if count.queue == record.queue), None),
        upstream=None if upstream is None else (await store.get([upstream])).get(upstream),
        group=None if group is None else await store.group(group),
        room=await _room(store, record),
        copies=await copies_of(store, task_id, record.generation) if is_announcement(record.name) else {},
    )


async def _room(store: Store, record: TaskRecord) -> Room:
    if not record.limited:
        return Room()
    return await store.room(record.name, rate_key=record.rate_key, concurrency_key=record.concurrency_key)


def explain(facts: Facts) -> Why:
    """The reasons that hold, of which there is always one."""
    record = facts.record
    return Why(id=record.id, state=record.state, reasons=tuple(_reasons(facts)) or (_next_in_line(facts),))


def _reasons(facts: Facts) -> Iterator[Reason]:
    record = facts.record
    if record.state.is_terminal:
        return _of_ended(record)
    if facts.copies:
        return _of_copies(facts)
    if record.lease_until is not None:
        return _of_running(facts, record.lease_until)
    return _of_held(facts) if record.held else _of_waiting(facts)


def _of_ended(record: TaskRecord) -> Iterator[Reason]:
    when = "" if record.finished_at is None else f" at {_time(record.finished_at)}"
    error = "" if record.error is None else f": {record.error.kind}: {_first_line(record.error.message)}"
    if record.state is TaskState.EXPIRED:
        error = ": no worker began it before its time was over"
    yield Reason(f"it ended{when} and is {record.state.value}{error}")
    if record.bury_reason is not None:
        yield Reason(f"it is in the dead letters: {record.bury_reason}", f"stem dlq replay {record.id}")


def _of_copies(facts: Facts) -> Iterator[Reason]:
    states = Counter(copy.state.value for copy in facts.copies.values())
    told = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    yield Reason(f"it was handed out to {len(facts.copies)} workers ({told}), and ends when every copy has")
    for worker, copy in sorted(facts.copies.items()):
        if not copy.state.is_terminal:
            yield Reason(f"the copy of worker {worker} is {copy.state.value}", f"stem why {copy.id}")


def _of_running(facts: Facts, lease_until: Micros) -> Iterator[Reason]:
    record, worker = facts.record, facts.record.worker or "unknown"
    left = lease_until - facts.now
    if left > 0:
        yield Reason(f"worker {worker} has it, under a lease that is renewed and holds for {_span(left)} more")
    else:
        yield Reason(
            f"worker {worker} has it, but its lease ended {_span(-left)} ago: any live worker takes it over soon",
            "" if _alive(facts) else "start a worker: none is alive that could take it over",
        )
    yield from _of_worker(facts, worker)
    if record.cancel_requested:
        yield Reason("its cancellation was asked for; the attempt was told, or will be when its lease is renewed")


def _of_worker(facts: Facts, name: str) -> Iterator[Reason]:
    seen = next((worker for worker in facts.workers if worker.heartbeat.worker == name), None)
    if seen is None:
        yield Reason(f"worker {name} has signed off, or was not seen for an hour")
    elif seen.late:
        beat = seen.heartbeat
        silent = _span(facts.now - seen.last_seen)
        yield Reason(
            f"worker {name} (process {beat.pid} on {beat.host}) is late: it was not seen for {silent}",
            "look whether that process and its host are well",
        )


def _of_held(facts: Facts) -> Iterator[Reason]:
    after, group = facts.record.after, facts.group
    if after is None or after.kind == "group":
        member = facts.record.member
        yield _of_group(group, after.id if after is not None else member.group if member is not None else "")
    elif facts.upstream is None:
        yield Reason(f"it continues task {after.id}, which is not known any more")
    else:
        state = facts.upstream.state.value
        yield Reason(f"it continues task {after.id} ({facts.upstream.name}), which is {state}", f"stem why {after.id}")


def _of_group(group: GroupRecord | None, name: str) -> Reason:
    if group is None:
        return Reason(f"it waits for group {name}, which is not known any more")
    if group.state is GroupState.OPEN:
        filled = f"{group.filled} of {group.size} places"
        return Reason(f"group {group.id} is still being filled ({filled}); if nobody seals it, it goes within the hour")
    left = group.size - group.joined
    return Reason(f"it continues group {group.id}, of which {left} of {group.size} members have not ended")


def _of_waiting(facts: Facts) -> Iterator[Reason]:
    record = facts.record
    if facts.revocation is not None:
        yield Reason(f"its id is revoked{_because(facts.revocation.reason)}: a worker that gets it cancels it")
    yield from _of_time(record, facts.now)
    if record.parked_reason is not None:
        yield Reason(
            f"it is parked ({record.parked_reason}): refused by the registries {', '.join(record.refused_by)}",
            "start workers of the release that made it; they get it at their first sign of life",
        )
    if facts.pause is not None:
        since = f"since {_time(facts.pause.since)}{_because(facts.pause.reason)}"
        yield Reason(f"queue {record.queue} is paused {since}", f"stem queues resume {record.queue}")
    yield from _of_service(facts)
    if record.limited:
        yield _of_limits(record, facts.room, facts.now)


def _of_limits(record: TaskRecord, room: Room, now: Micros) -> Reason:
    if room.concurrency is not None and (room.holders or 0) >= room.concurrency:
        key = _of_key(record.concurrency_key)
        return Reason(f"the concurrency of its task{key} is used up: {room.holders} of {room.concurrency} run")
    if room.opens_at is not None and room.opens_at > now:
        key = _of_key(record.rate_key)
        return Reason(f"the rate of its task{key} is used up: the next one may start in {_span(room.opens_at - now)}")
    return Reason("a limit of its task held it back, and lets it start now: a worker gets it at its next call")


def _of_key(key: str | None) -> str:
    return "" if key is None else f" for key {key}"


def _of_time(record: TaskRecord, now: Micros) -> Iterator[Reason]:
    if record.due_at is None or record.due_at <= now:
        return
    when = f"until {_time(record.due_at)}, which is in {_span(record.due_at - now)}"
    if record.state is TaskState.RETRYING:
        error = "" if record.error is None else f" after {record.error.kind}: {_first_line(record.error.message)}"
        yield Reason(f"it waits for attempt {record.attempt + 1} of {record.max_retries + 1}{error}, {when}")
    else:
        yield Reason(f"it is delayed {when}")


def _of_service(facts: Facts) -> Iterator[Reason]:
    queue, only = facts.record.queue, worker_of(facts.record.queue)
    if any(serves(worker.heartbeat, queue) for worker in _alive(facts)):
        return
    if only is not None:
        yield Reason(f"it is the copy of worker {only}, which is gone: it is cancelled when its broadcast is looked at")
        return
    late = [worker for worker in facts.workers if queue in worker.heartbeat.queues]
    seen = "".join(
        f"; worker {worker.heartbeat.worker} did, and was last seen {_span(facts.now - worker.last_seen)} ago"
        for worker in late
    )
    yield Reason(f"no live worker serves queue {queue}{seen}", f"start one: stem worker -q {queue}")


def _next_in_line(facts: Facts) -> Reason:
    waiting = sum(facts.queue.counts.get(state, 0) for state in WAITING) if facts.queue is not None else 1
    served = sum(serves(worker.heartbeat, facts.record.queue) for worker in _alive(facts))
    since = "" if facts.record.due_at is None else f" since {_time(facts.record.due_at)}"
    crowd = f"live workers of its queue: {served}; waiting there, itself included: {waiting}"
    return Reason(f"nothing hinders it: it is due{since}, and its turn will come ({crowd})")


def _alive(facts: Facts) -> list[WorkerRecord]:
    return [worker for worker in facts.workers if not worker.late]


def _because(reason: str) -> str:
    return f" ({reason})" if reason else ""


def _time(moment: Micros) -> str:
    return from_micros(moment).strftime("%Y-%m-%d %H:%M:%SZ")


def _span(micros: Micros) -> str:
    """A length of time in one unit, and in seconds below a minute."""
    for size, unit in _UNITS:
        if micros >= size:
            return f"{micros / size:.3g} {unit}"
    return f"{micros / 1_000_000:.3g} s"


def _first_line(text: str) -> str:
    return text.splitlines()[0] if text else ""
