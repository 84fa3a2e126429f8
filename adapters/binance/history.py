"""Ask for a history that the venue tells only a day and a thousand rows at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

import trio

WINDOW_MS: Final = 24 * 3600 * 1000  # the longest span of one question
PAGE: Final = 1000  # the most rows of one answer

Row = TypeVar("Row")
Params = dict[str, str | int]


async def ask_history(
    ask: Callable[[Params], Awaitable[bytes]],
    decode: Callable[[bytes], Sequence[Row]],
    *,
    since_ms: int,
    now_ms: int,
    page_by: str,
    id_of: Callable[[Row], int],
) -> list[Row]:
    """Return every row since `since_ms`, oldest first; `page_by` names the id parameter.

    A full page is followed by id to the end of history, which no busy minute can hide.
    """
    rows: list[Row] = []
    start_ms = since_ms
    await trio.lowlevel.checkpoint()
    while start_ms <= now_ms:
        end_ms = start_ms + WINDOW_MS - 1
        page = decode(await ask({"startTime": start_ms, "endTime": end_ms, "limit": PAGE}))
        rows += page
        if len(page) >= PAGE:
            return rows + await _to_the_end(ask, decode, page_by, id_of, page)
        start_ms = end_ms + 1
    return rows


async def _to_the_end(
    ask: Callable[[Params], Awaitable[bytes]],
    decode: Callable[[bytes], Sequence[Row]],
    page_by: str,
    id_of: Callable[[Row], int],
    page: Sequence[Row],
) -> list[Row]:
    rows: list[Row] = []
    await trio.lowlevel.checkpoint()
    while len(page) >= PAGE:
        next_id = id_of(page[-1]) + 1
        page = decode(await ask({page_by: next_id, "limit": PAGE}))
        rows += page
    return rows
