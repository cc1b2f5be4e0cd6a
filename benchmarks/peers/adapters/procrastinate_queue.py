"""procrastinate with 100 places. It keeps no results, so nothing can be awaited."""

from procrastinate import App, PsycopgConnector

from benchmarks.peers.inside import run, url
from benchmarks.peers.marks import mark

APP = App(connector=PsycopgConnector(conninfo=url(), min_size=4, max_size=20))


@APP.task(name="noop")
async def noop(number: int) -> int:
    mark(number)
    return number


async def start() -> None:
    await APP.open_async()
    await APP.schema_manager.apply_schema_async()


async def enqueue(number: int) -> int:
    return await noop.defer_async(number=number)


async def result(job: int) -> None:
    raise NotImplementedError("procrastinate stores no results, and the roster asks it for none")


def work() -> None:
    run(_work())


async def _work() -> None:
    async with APP.open_async():
        await APP.run_worker_async(concurrency=100)
