"""Words for tests of continuations and groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from stem.contracts.changes import OpenGroup, Publish, SealGroup, Settle, Write
from stem.contracts.groups import GroupRecord
from stem.ids import new_id
from stem.tasks.links import After, GroupPolicy, Member
from stem.tasks.state import TaskEvent, TaskState
from stem.testing.contracts.build import Bench, EnvelopeFields, publish

__all__ = ["CANCELLED", "EXPIRED", "chain", "chord", "fill", "group_of", "members", "of_group", "open_group", "states"]

CANCELLED = Settle(TaskEvent.CANCELLED)
EXPIRED = Settle(TaskEvent.EXPIRED)


def chain(length: int, **given: Unpack[EnvelopeFields]) -> list[Publish]:
    """So many links, each after the one before."""
    links: list[Publish] = []
    for _ in range(length):
        links.append(publish(after=After(links[-1].envelope.id) if links else None, **given))
    return links


def of_group(group: str) -> After:
    """What a continuation of this group waits for."""
    return After(group, "group")


def open_group(size: int, policy: GroupPolicy = "all", *, result_ttl: int | None = None) -> OpenGroup:
    """The write that opens a new group."""
    if result_ttl is None:
        return OpenGroup(group=new_id(), size=size, policy=policy)
    return OpenGroup(group=new_id(), size=size, policy=policy, result_ttl=result_ttl)


def members(opened: OpenGroup, **given: Unpack[EnvelopeFields]) -> list[Publish]:
    """One for each place of the group."""
    return [publish(member=Member(opened.group, place), **given) for place in range(opened.size)]


async def fill(
    bench: Bench, size: int, policy: GroupPolicy = "all", *, seal: bool = True, **given: Unpack[EnvelopeFields]
) -> tuple[str, list[str]]:
    """A group with its members, in one change; its id, and theirs by place."""
    opened = open_group(size, policy)
    filled = members(opened, **given)
    sealed: Sequence[Write] = [SealGroup(opened.group)] if seal else []
    await bench.apply(opened, *filled, *sealed)
    return opened.group, [write.envelope.id for write in filled]


async def chord(
    bench: Bench, size: int, policy: GroupPolicy = "all", **given: Unpack[EnvelopeFields]
) -> tuple[str, list[str], str]:
    """A sealed group with a continuation; its id, its members' by place, the continuation's."""
    group, ids = await fill(bench, size, policy, seal=False)
    body = await bench.put(after=of_group(group), **given)
    await bench.apply(SealGroup(group))
    return group, ids, body


async def group_of(bench: Bench, group: str) -> GroupRecord:
    """The record of a group, which must be known."""
    record = await bench.store.group(group)
    assert record is not None
    return record


async def states(bench: Bench, *ids: str) -> list[TaskState]:
    """The states of these tasks, which must be known."""
    records = await bench.store.get(ids)
    return [records[task_id].state for task_id in ids]
