"""Messages with links and the groups that hold them: where each goes, or why it is refused. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from stem.adapters.postgres.web import TiedGroup, TiedTask, Web
from stem.contracts.changes import APPLIED, OpenGroup, Publish, RefusalCode, Refused, SealGroup, Verdict, Write
from stem.contracts.upstream import upstream_failed
from stem.tasks.links import After, GroupState, Member
from stem.tasks.state import TaskState
from stem.tasks.status import Failure

__all__ = ["admit", "has_links", "is_free", "play", "want"]


def is_free(write: Write) -> bool:
    """Whether any number of such writes can be done together: all that takes no unique key."""
    return write.unique is None if isinstance(write, Publish) else isinstance(write, OpenGroup | SealGroup)


def has_links(write: Write) -> bool:
    """Whether a write concerns a group, or what a message waits for."""
    if isinstance(write, Publish):
        return write.after is not None or write.member is not None
    return isinstance(write, OpenGroup | SealGroup)


def want(web: Web, write: Write) -> None:
    """Note what this write is about, so that all of it is read at once."""
    if isinstance(write, Publish):
        if web.is_known(write.envelope.id):
            return
        if write.after is not None:
            web.knows(write.after)
        if write.member is not None:
            web.group(write.member.group)
            if write.member.index is not None:
                web.is_taken((write.member.group, write.member.index))
    elif isinstance(write, OpenGroup | SealGroup):
        web.group(write.group)
        if isinstance(write, SealGroup) and write.group not in web.reading.members:
            web.wanted.members.add(write.group)


def play(web: Web, writes: tuple[Write, ...], duplicates: Mapping[str, Failure]) -> Verdict:
    """Publish, open and seal, one after the other; at the first refusal the web is of no more use.

    What is among the `duplicates` is cancelled at once, with that error.
    """
    for write in writes:
        refused: Refused | None = None
        if isinstance(write, Publish):
            refused = _publish(web, write, duplicates.get(write.envelope.id))
        elif isinstance(write, OpenGroup):
            _open(web, write)
        elif isinstance(write, SealGroup):
            refused = _seal(web, write.group)
        if refused is not None:
            return refused
    return APPLIED


def admit(web: Web, after: After | None, member: Member | None) -> Refused | None:
    """Why a message with these links cannot be published; `None` when it can."""
    if after is not None and not web.knows(after):
        return Refused(RefusalCode.UNKNOWN_ID, f"no {after.kind} {after.id} to wait for")
    if member is None:
        return None
    group = web.group(member.group)
    if group is None:
        return Refused(RefusalCode.UNKNOWN_ID, f"no group {member.group} to be a member of")
    reason = _why_not(web, group, member.index)
    return None if reason is None else Refused(RefusalCode.REJECTED, reason)


def _why_not(web: Web, group: TiedGroup, place: int | None) -> str | None:
    if group.state is not GroupState.OPEN:
        return f"group {group.id} is sealed"
    if place is not None and place >= group.size:
        return f"group {group.id} has no place {place}"
    if place is not None and web.is_taken((group.id, place)):
        return f"place {place} of group {group.id} is taken"
    return None


def _publish(web: Web, write: Publish, error: Failure | None) -> Refused | None:
    task = write.envelope.id
    if web.is_known(task):
        return None
    refused = admit(web, write.after, write.member)
    if refused is not None:
        return refused
    _enrol(web, write)
    succeeded, state = (True, "") if write.after is None else web.upstream(write.after)
    held = succeeded is None or web.is_open(write.member)
    new = web.tasks[task] = TiedTask(id=task, state=TaskState.QUEUED, held=held, after=write.after, member=write.member)
    if write.after is not None and succeeded is False:
        error = error or upstream_failed(write.after, state)
    if error is not None:
        web.cancel(new, error)
        web.end([task])
    return None


def _enrol(web: Web, write: Publish) -> None:
    """Note a new message with what it waits for, and a new member in its group."""
    web.published[write.envelope.id] = write
    if write.after is not None:
        web.heirs.setdefault(write.after, []).append(write.envelope.id)
    group = None if write.member is None else web.group(write.member.group)
    if write.member is None or group is None:
        return
    if write.member.index is None:
        web.groups[group.id] = replace(group, loose=group.loose + 1)
    else:
        web.groups[group.id] = replace(group, filled=group.filled + 1)
        web.places.add((group.id, write.member.index))


def _open(web: Web, write: OpenGroup) -> None:
    if web.group(write.group) is None:
        web.opened[write.group] = write
        state = GroupState.OPEN
        web.groups[write.group] = TiedGroup(id=write.group, size=write.size, policy=write.policy, state=state)


def _seal(web: Web, name: str) -> Refused | None:
    group = web.group(name)
    if group is None:
        return Refused(RefusalCode.UNKNOWN_ID, f"no group {name}")
    if group.state is not GroupState.OPEN:
        return None
    if group.filled < group.size:
        return Refused(RefusalCode.REJECTED, f"{group.size - group.filled} places of group {name} are empty")
    sealed = web.groups[name] = replace(group, state=GroupState.SEALED)
    web.sealed.append(name)
    for task in [task for task in web.tasks.values() if task.held and _is_in(task, name)]:
        if task.after is None or web.upstream(task.after)[0]:
            web.tasks[task.id] = replace(task, held=False)
    web.decide(sealed)
    return None


def _is_in(task: TiedTask, group: str) -> bool:
    return task.member is not None and task.member.group == group
