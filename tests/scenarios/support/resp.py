"""A word with a Redis server past every client: raw commands over a connection of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

__all__ = ["pack", "send_all", "tell"]


def pack(words: Sequence[str]) -> bytes:
    """One command as the protocol has it."""
    parts = [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
    return f"*{len(words)}\r\n{''.join(parts)}".encode()


async def tell(port: int, *words: str) -> str:
    """The raw answer to one command; the server closes the connection after it, so nothing of it is missing."""
    return await _talk(port, pack(words) + pack(("QUIT",)))


async def send_all(port: int, commands: Iterable[Sequence[str]]) -> None:
    """Send many commands and wait until all are done."""
    await _talk(port, b"".join(map(pack, commands)) + pack(("QUIT",)))


async def _talk(port: int, data: bytes) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        return (await asyncio.wait_for(reader.read(-1), 20)).decode(errors="replace")
    finally:
        writer.close()
