"""Learn what an exchange lists, and learn it again: filters and halts change.

venue --instruments--> [catalogue] --> the mapping that risk, orders, positions, bots read

Ready once the exchange has answered for the first time. Others read the mapping that the
stage owns and this actor alone replaces, entry by entry; a symbol that is not in it is
refused by whoever is asked to trade it.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from contextlib import suppress

import trio

from actors.messages import Instrument
from actors.ports import Market, VenueError

REFRESH_S = 3600.0
RETRY_S = 5.0
ASK_S = 20.0


async def run_catalogue(
    market: Market,
    instruments: MutableMapping[str, Instrument],
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Keep `instruments` as the exchange has them, until cancelled."""
    is_ready = False
    while True:
        listed = await _ask(market)
        if listed is None:
            await trio.sleep(RETRY_S)
            continue
        instruments.update(listed)
        for symbol in instruments.keys() - listed.keys():
            del instruments[symbol]
        if not is_ready:
            is_ready = True
            task_status.started()
        await trio.sleep(REFRESH_S)


async def _ask(market: Market) -> Mapping[str, Instrument] | None:
    listed: Mapping[str, Instrument] | None = None
    with trio.move_on_after(ASK_S):
        await trio.lowlevel.checkpoint()
        with suppress(VenueError):  # asked again soon
            listed = await market.instruments()
    return listed
