"""A task may be longer than its lease: while its worker lives, nobody else runs it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stem.app import Stem
from stem.tasks.definition import TaskDefinition
from tests.scenarios.support.engines import on_servers
from tests.scenarios.support.jobs import BLOCK, BRIEF
from tests.scenarios.support.journal import Journal
from tests.scenarios.support.yard import Yard


@pytest.mark.slow
@pytest.mark.parametrize(
    ("engine", "definition", "leases"),
    [
        pytest.param("sqlite", BRIEF, 10, id="asleep for ten leases"),
        pytest.param("sqlite", BLOCK, 3, id="blocking the event loop for three"),
        *on_servers(BLOCK, 3, called="blocking the event loop for three"),
    ],
)
async def test_a_long_task_runs_once(
    definition: TaskDefinition[[float], str], leases: int, yard: Yard, stem: Stem, journal: Journal
) -> None:
    await yard.ready(stem, yard.start_rigged(), yard.start_rigged())
    handle = await definition.enqueue(stem, float(leases))
    await handle.result(timeout=timedelta(seconds=60))
    status = await handle.status()
    assert len(journal.started(handle.id)) == 1
    assert (status.attempt, status.crashes) == (0, 0)
