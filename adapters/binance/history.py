"""Ask for a history that the venue tells only a day and a thousand rows at a time.

Which rows a full answer has is not documented: "most recent" ones where no id is given,
and that of a span they are the oldest is nowhere said. So only an answer that is not full
is taken as all of its span.

Source: rest-api.md, "All orders", "Account trade list"; web-socket-api.md, "Account order
history", "Account trade history"; 2026-10.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

import trio

from adapters.errors import VenueError

WINDOW_MS: Final = 24 * 3600 * 1000  # the longest span of one question
SHORTEST_MS: Final = 4  # of a span in halves: endTime must be later than startTime
PAGE: Final = 1000  # the most rows of one answer

Row = TypeVar("Row")
Params = dict[str, str | int]


async def ask_history(
    ask: Callable[[Params], Awaitable[bytes]],
    decode: Callable[[bytes], Sequence[Row]],
    *,
    since_ms: int,
    now_ms: int,
) -> list[Row]:
    """Return every row since `since_ms`, span by span from the oldest.

    Raises:
      VenueError: more rows at one moment than can be asked for; nothing is concluded.
    """
    rows: list[Row] = []
    await trio.lowlevel.checkpoint()
    for start_ms in range(since_ms, now_ms + 1, WINDOW_MS):
        rows += await _span(ask, decode, start_ms, start_ms + WINDOW_MS - 1)
    return rows


async def _span(
    ask: Callable[[Params], Awaitable[bytes]],
    decode: Callable[[bytes], Sequence[Row]],
    start_ms: int,
    end_ms: int,
) -> list[Row]:
    """Return the rows of a span, its end included; of two halves where it has too many."""
    page = decode(await ask({"startTime": start_ms, "endTime": end_ms, "limit": PAGE}))
    if len(page) < PAGE:
        return list(page)
    if end_ms + 1 - start_ms < SHORTEST_MS:
        raise VenueError(f"{PAGE} rows or more from {start_ms} to {end_ms}")
    middle_ms = (start_ms + end_ms) // 2
    older = await _span(ask, decode, start_ms, middle_ms)
    return older + await _span(ask, decode, middle_ms + 1, end_ms)
