"""Ticker frames written flat out: encoded once, for the benches that count what is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import trio

from adapters.websocket_server import ServerSocket

VARIANTS: Final = 64  # different frames of one symbol
CHUNK_FRAMES: Final = 160  # about 64 KiB
PACED_S: Final = 0.001
IDLE_S: Final = 0.01
T = TypeVar("T")


async def flood(
    rate: float,
    wanted: Callable[[], Sequence[T]],
    make: Callable[[Sequence[T]], list[bytes]],
    socket: ServerSocket,
) -> None:
    """Write frames of what one reader wants, for ever.

    Units: `rate` in frames per second; 0 is as fast as the reader takes them.
    """
    known: Sequence[T] = ()
    made: list[bytes] = []
    at, due_s = 0, trio.current_time()
    size = max(1, int(rate * PACED_S)) if rate else CHUNK_FRAMES
    while True:
        found = wanted()
        if found != known:
            known, made = found, make(found)
        if not made:
            await trio.sleep(IDLE_S)
            continue
        chunk = [made[(at + number) % len(made)] for number in range(size)]
        at = (at + size) % len(made)
        await socket.write(b"".join(chunk))
        due_s = max(due_s + (size / rate if rate else 0.0), trio.current_time() - 1.0)
        await trio.sleep_until(due_s)
