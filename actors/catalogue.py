"""Learn what an exchange lists, and learn it again: filters and halts change.

venue --instruments------------> [catalogue] --the stage's mapping--> risk, orders, bots …
orders --ListingDoubted (latest)-> [catalogue] --Alarmed (latest)-----> board

Ready once the exchange has answered for the first time, or after READY_S without: an
outage of one venue keeps nobody from starting. Others read the mapping that the stage owns
and this actor alone changes; a symbol that is not in it is refused by whoever is asked to
trade it. An answer that lists nothing is no answer. It asks once an hour, and soon after an
order was refused: a lot or a tick may be another by now, and an exit would be refused, too.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

import attrs
import trio

from actors.mailbox import Mailbox
from actors.messages import Alarmed, Instrument, ListingDoubted
from actors.ports import Market, VenueError

REFRESH_S = 3600.0
RETRY_S = 5.0
DOUBTED_S = 20.0  # from one question to the next, however many orders are refused
ASK_S = 20.0
READY_S = 5.0
CODE = "not_listed"


async def run_catalogue(
    mailbox: Mailbox[ListingDoubted],
    market: Market,
    instruments: MutableMapping[str, Instrument],
    board: Mailbox[Any],
    *,
    exchange: str,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Keep `instruments` as the exchange has them, until cancelled."""
    life = _Catalogue(mailbox, market, instruments, board, exchange)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(life.keep_known)
        with trio.move_on_after(READY_S):
            await life.known.wait()
        task_status.started()


@attrs.define(eq=False)
class _Catalogue:
    mailbox: Mailbox[ListingDoubted]
    market: Market
    instruments: MutableMapping[str, Instrument]
    board: Mailbox[Any]
    exchange: str
    known: trio.Event = attrs.Factory(trio.Event)
    is_alarmed: bool = True  # perhaps by a life before

    async def keep_known(self) -> None:
        """Ask, and ask again: soon after a failure or a doubt, else once an hour."""
        while True:
            listed = await self._ask()
            if not listed:
                await trio.sleep(RETRY_S)
                continue
            asked_s = trio.current_time()
            self.instruments.update(listed)
            for symbol in self.instruments.keys() - listed.keys():
                del self.instruments[symbol]
            self.known.set()
            if self.is_alarmed:
                self._alarm(f"{self.exchange} says what it lists again", is_over=True)
            with trio.move_on_at(asked_s + REFRESH_S):
                await self.mailbox.receive()
                await trio.sleep_until(asked_s + DOUBTED_S)

    async def _ask(self) -> Mapping[str, Instrument]:
        why = f"no answer within {ASK_S:g} s"
        with trio.move_on_after(ASK_S):
            try:
                listed = await self.market.instruments()
            except VenueError as error:
                why = str(error)
                await trio.lowlevel.checkpoint()
            else:
                if listed:
                    return listed
                why = "it lists nothing"
        self._alarm(f"{self.exchange} does not say what it lists: {why}", is_over=False)
        await trio.lowlevel.checkpoint()
        return {}

    def _alarm(self, text: str, *, is_over: bool) -> None:
        self.is_alarmed = not is_over
        alarm = Alarmed(f"catalogue:{self.exchange}", CODE, self.exchange, text, is_over)
        self.board.latest((Alarmed, alarm.actor, CODE, alarm.subject), alarm)
