"""What every test shares.

Hypothesis has no deadlines, because the speed of a machine is not a fact about the code; and the run has an end,
because a thread that a failed test left behind would keep it waiting for ever.
"""

import faulthandler
import sys

import pytest
from hypothesis import settings

SECONDS_TO_LEAVE = 30
WITH_SERVERS = {"redis", "postgres", "test_redis.py", "test_postgres.py"}

settings.register_profile("stem", deadline=None, print_blob=True)
settings.load_profile("stem")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a server, by where it stands."""
    for item in items:
        if WITH_SERVERS.intersection(item.path.relative_to(item.config.rootpath).parts):
            item.add_marker("server")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Show where every thread is, and end the process, when it has not left by itself.

    One of several that share the tests waits for the others, and is ended by the one that started it.
    """
    if hasattr(config, "workerinput"):
        return
    faulthandler.dump_traceback_later(SECONDS_TO_LEAVE, exit=True, file=sys.__stderr__ or sys.stderr)
