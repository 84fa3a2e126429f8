"""Learn what an exchange lists, and learn it again: filters and halts change.

venue --instruments--> [catalogue] --the stage's mapping--> risk, orders, positions, bots

Ready once the exchange has answered for the first time, or after READY_S without: an
outage of one venue keeps nobody from starting. Others read the mapping that the stage owns
and this actor alone changes; a symbol that is not in it is refused by whoever is asked to
trade it. An answer that lists nothing is no answer.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from functools import partial

import trio

from actors.messages import Instrument
from actors.ports import Market, VenueError

REFRESH_S = 3600.0
RETRY_S = 5.0
ASK_S = 20.0
READY_S = 20.0


async def run_catalogue(
    market: Market,
    instruments: MutableMapping[str, Instrument],
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Keep `instruments` as the exchange has them, until cancelled."""
    is_known = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(_keep_known, market, instruments, is_known))
        with trio.move_on_after(READY_S):
            await is_known.wait()
        task_status.started()


async def _keep_known(
    market: Market, instruments: MutableMapping[str, Instrument], is_known: trio.Event
) -> None:
    while True:
        listed = await _ask(market)
        if not listed:
            await trio.sleep(RETRY_S)
            continue
        instruments.update(listed)
        for symbol in instruments.keys() - listed.keys():
            del instruments[symbol]
        is_known.set()
        await trio.sleep(REFRESH_S)


async def _ask(market: Market) -> Mapping[str, Instrument]:
    with trio.move_on_after(ASK_S):
        try:
            return await market.instruments()
        except VenueError:
            await trio.lowlevel.checkpoint()
    return {}
