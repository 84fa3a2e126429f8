"""Follow one product's trades by number, and fetch over REST what the feed dropped.

Numbers have no gap, so a trade that skips some, or a heartbeat that knows of more for two
beats, shows what is missing. What cannot be fetched in time is counted and left out.

Source: WIRE 3.3; all recorded sessions have no gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs
import trio

from actors.messages import Traded
from adapters.coinbase.codec.feed import Heartbeat
from adapters.coinbase.codec.rest import decode_trades
from adapters.coinbase.venue import Venue
from adapters.errors import VenueError

FETCH_S: Final = 3.0
PAUSE_S: Final = 30.0  # after a fetch that failed, for every product
FETCH_MAX: Final = 1000  # trades of one answer; a longer gap is told from there on


@attrs.define(eq=False)
class FeedTrades:
    """The trades of one product on one connection."""

    _venue: Venue
    _symbol: str
    dropped: int = 0  # that could not be fetched
    fetched: int = 0
    _last_id: int = 0  # the last one that was told; 0 before the first
    _beat_id: int = 0  # the last one that the heartbeat before knew of

    def begin(self, trade_id: int) -> None:
        """Count from the trade before the subscription."""
        self._last_id = max(self._last_id, trade_id)

    def take(self, trade: Traded) -> bool:
        """Note a trade; tell whether it is news."""
        if trade.trade_id <= self._last_id:
            return False
        self._last_id = trade.trade_id
        return True

    def missing_before(self, heard: Traded | Heartbeat) -> int:
        """Return the number before which trades are missing, 0 where none are.

        A heartbeat may be ahead of its trade, so the one before it is the measure.
        """
        before_id = heard.trade_id if isinstance(heard, Traded) else self._beat_id + 1
        if isinstance(heard, Heartbeat):
            self._beat_id = heard.last_trade_id
        is_missing = self._last_id and before_id > self._last_id + 1
        return before_id if is_missing else 0

    async def fetch(self, before_id: int) -> Sequence[Traded]:
        """Return what is missing before this number, as far as one answer goes."""
        missing = before_id - self._last_id - 1
        found: list[Traded] = []
        if trio.current_time() >= self._venue.fetch_again_s:
            found = await self._try(before_id, min(missing, FETCH_MAX))
        await trio.lowlevel.checkpoint()
        self.fetched += len(found)
        self.dropped += missing - len(found)
        self._last_id = before_id - 1
        return found

    async def _try(self, before_id: int, limit: int) -> list[Traded]:
        with trio.move_on_after(FETCH_S):
            try:
                return await self._ask(before_id, limit)
            except VenueError:
                await trio.lowlevel.checkpoint()
        self._venue.fetch_again_s = trio.current_time() + PAUSE_S
        return []

    async def _ask(self, before_id: int, limit: int) -> list[Traded]:
        product = self._venue.name(self._symbol)
        # The venue's "after" means older: its pages begin with the newest.
        target = f"/products/{product}/trades?limit={limit}&after={before_id}"
        body = await self._venue.ask(target)
        rows = decode_trades(body, self._symbol, trio.current_time())
        return [row for row in rows if self._last_id < row.trade_id < before_id]
