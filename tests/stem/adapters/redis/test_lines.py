"""The connection under every script: answers in their order, and what happens when there is none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from stem.adapters.redis.driver import LOST, NoScript, open_stream
from stem.adapters.redis.lines import Beginning, Line, Wire
from stem.adapters.redis.route import Route
from stem.adapters.redis.url import parse_url
from tests.servers import RedisServer


@pytest.fixture
def route(shared: RedisServer) -> Route:
    return Route(parse_url(shared.url), "key")


@pytest.fixture
async def line(route: Route) -> AsyncIterator[Line]:
    line = Line(route)
    yield line
    line.hang_up()


@pytest.fixture
async def admin(route: Route) -> AsyncIterator[Line]:
    line = Line(route)
    yield line
    line.hang_up()


async def test_many_calls_are_under_way_at_once_and_each_gets_its_own_answer(line: Line) -> None:
    asked = [line.ask("ECHO", str(number)) for number in range(500)]

    assert await asyncio.gather(*asked) == [str(number).encode() for number in range(500)]


async def test_an_error_is_that_of_its_call_alone(line: Line) -> None:
    asked = [line.ask("ECHO", "a"), line.ask("EVALSHA", "0" * 40, 0), line.ask("ECHO", "b")]
    answers: list[object] = await asyncio.gather(*asked, return_exceptions=True)

    assert (answers[0], answers[2]) == (b"a", b"b")
    assert isinstance(answers[1], NoScript)


async def test_a_caller_that_is_cancelled_takes_nobody_elses_answer(route: Route) -> None:
    wire = Wire(await open_stream(route), route.place.timeout)
    gone, stays = wire.ask("ECHO", "a"), wire.ask("ECHO", "b")
    gone.cancel()

    assert await stays == b"b"
    wire.close()


async def test_what_goes_ahead_of_a_call_takes_nobody_elses_answer(line: Line) -> None:
    await line.ask("ECHO", "opens it")
    told: list[object] = []
    for word in "abc":
        assert line.send(Beginning("ECHO").command((word,)), told.append, first_to_others=word != "b")

    assert await line.ask("ECHO", "d") == b"d"
    assert told == [b"a", b"b", b"c"]


async def test_a_call_that_meets_a_dead_connection_is_made_again_on_a_new_one(line: Line, admin: Line) -> None:
    first = await line.ask("CLIENT", "ID")

    waiting = asyncio.ensure_future(line.ask("BLPOP", "nobody-pushes", "0.3"))
    await asyncio.sleep(0)
    assert await admin.ask("CLIENT", "KILL", "ID", str(first)) == 1

    assert await waiting is None
    assert await line.ask("CLIENT", "ID") != first


async def test_an_answer_that_does_not_come_in_time_is_an_error_and_the_connection_is_cut(route: Route) -> None:
    wire = Wire(await open_stream(route), 0.05)

    with pytest.raises(LOST, match="no answer within"):
        await asyncio.gather(wire.ask("BLPOP", "nobody-pushes", "9"), wire.ask("ECHO", "behind it"))

    assert wire.over.done()


async def test_a_line_that_was_hung_up_opens_another_connection(line: Line) -> None:
    first = await line.ask("CLIENT", "ID")
    line.hang_up()

    assert await line.ask("CLIENT", "ID") != first


async def test_a_server_that_is_not_there_is_an_error_of_the_driver() -> None:
    with pytest.raises(LOST):
        await Line(Route(parse_url("redis://127.0.0.1:1"), "key")).ask("PING")


async def test_bytes_that_are_no_answer_end_the_connection() -> None:
    async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n")
        writer.close()

    async with await asyncio.start_server(babble, "127.0.0.1", 0) as server:
        reader_writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        wire = Wire(reader_writer[1], 5.0)

        with pytest.raises(LOST):
            await wire.ask("PING")


async def test_a_command_with_a_beginning_that_was_packed_before_is_the_same_command(line: Line) -> None:
    echo = Beginning("EVAL", "return {KEYS[1], ARGV[1], ARGV[2]}", 1)
    assert await line.call(echo.command(("key", b"\r\n", 3))) == [b"key", b"\r\n", b"3"]


async def test_one_who_is_called_hears_the_answer_or_the_error_in_its_place(line: Line) -> None:
    told: list[object] = []
    assert not line.send(Beginning("ECHO").command(("a",)), told.append)
    await line.ask("ECHO", "b")
    assert line.send(Beginning("ECHO").command(("c",)), told.append)
    assert line.send(Beginning("EVALSHA").command(("0" * 40, 0)), told.append)
    await line.ask("ECHO", "d")
    assert told[0] == b"c"
    assert isinstance(told[1], NoScript)
