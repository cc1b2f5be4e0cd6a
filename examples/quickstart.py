"""A typed background job in one file: no server, no generated code."""

import asyncio

from stem import Registry, Stem, definition, task


@task
async def greet(name: str, *, shout: bool = False) -> str:
    return f"HELLO {name.upper()}!" if shout else f"Hello {name}!"


async def main() -> None:
    async with Stem("sqlite:///quickstart.db") as stem, stem.worker(Registry.of(greet)):
        greeting = await definition(greet).enqueue_and_wait(stem, "Ada", shout=True)
        print(greeting.center(20, "*"))  # the type checker knows: str


asyncio.run(main())
