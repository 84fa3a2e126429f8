"""See that the exchange holds a stop for whatever is held there (I-14)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import product
from typing import Final

import attrs
import trio

from actors.account import RECONCILE_EVERY_S
from actors.messages import (
    Attempted,
    Intended,
    PositionClosed,
    PositionOpened,
    Side,
    StopMoved,
)
from actors.pure.config import Config
from actors.pure.facts import decode
from actors.pure.matching_orders import Order
from adapters.simulator.exchange import Exchange
from tests.simulation.disk import Disk, DiskRow

ACCOUNT: Final = "main"
# From a fill, or from the last trouble. What nobody told us of is found by the account's
# next pass, and an UNKNOWN stop takes some twenty seconds.
BARE_S_MAX: Final = 30.0
BARE_AFTER_FAULTS_S_MAX: Final = RECONCILE_EVERY_S + 10.0
SMALL_QUOTE: Final = Decimal(12)  # what is worth less may be less than a stop may sell
RAISED_S: Final = 15.0  # within which a stop follows the level that was recorded
TICKS: Final = Decimal("0.2")
ZERO: Final = Decimal(0)


@attrs.frozen
class Level:
    """Where a position's stop was recorded to be, and since when."""

    stop_loss: Decimal
    since_s: float


@attrs.define(eq=False)
class Guarding:
    """What each bot holds at the exchange, and what rests there to sell it."""

    config: Config
    exchange: Exchange
    disk: Disk
    bare_s_max: float = BARE_S_MAX
    lot_by: int = 1  # the coarsest lot that is listed in this run, in first ones
    _seen: int = 0  # rows
    _intents: dict[str, tuple[str, str]] = attrs.Factory(dict[str, tuple[str, str]])
    _orders: dict[str, tuple[str, str]] = attrs.Factory(dict[str, tuple[str, str]])
    _dust: dict[tuple[str, str], Decimal] = attrs.Factory(dict[tuple[str, str], Decimal])
    levels: dict[tuple[str, str], list[Level]] = attrs.Factory(
        dict[tuple[str, str], list[Level]]
    )
    _bare_s: dict[tuple[str, str], float] = attrs.Factory(dict[tuple[str, str], float])

    def trouble(self) -> None:
        """Begin to count anew: something was crashed, cut or killed."""
        self._bare_s.clear()

    def look(self, now_s: float) -> list[str]:
        """Return who has been without a whole stop for too long."""
        said: list[str] = []
        bare = self.bare()
        for owner in [each for each in self._bare_s if each not in bare]:
            del self._bare_s[owner]
        for owner, text in bare.items():
            since_s = self._bare_s.setdefault(owner, now_s)
            if now_s - since_s > self.bare_s_max:
                said.append(f"I-14: {text} for {now_s - since_s:.0f} s")
                self._bare_s[owner] = now_s
        return said

    def bare(self) -> dict[tuple[str, str], str]:
        """Return who holds more than what rests at the exchange would sell."""
        self._read(self.disk.rows)
        found: dict[tuple[str, str], str] = {}
        bots = self.config.bots_of(ACCOUNT)
        symbols = sorted({bot.symbol for bot in bots})  # a bot may be moved in between
        for bot, symbol in product(bots, symbols):
            is_guarded = bot.stop_loss_percent or bot.trailing_stop_percent
            if not is_guarded or not bot.protective_stop:
                continue
            owner = bot.name, symbol
            held, selling = self._at_venue(owner)
            ware = self.exchange.wares[symbol.replace("/", "")]
            # The fleet asks for the list once an hour: a coarser lot is known until then.
            first = next(it for it in self.exchange.config.listings if it.symbol == symbol)
            lot = first.lot * self.lot_by
            held = held // lot * lot
            if held * ware.day.last > SMALL_QUOTE and selling < held:
                found[owner] = f"{bot.name} holds {held} and {selling} of it is guarded"
        return found

    def _at_venue(self, owner: tuple[str, str]) -> tuple[Decimal, Decimal]:
        """Return what is held, and what open orders would sell of it."""
        held, selling = -self._dust.get(owner, ZERO), ZERO
        lowest = self._lowest(owner)
        for order_id, whose in self._orders.items():
            if whose != owner:
                continue
            for order in self.exchange.engine.by_client.get((ACCOUNT, order_id), ()):
                held += _moved(order)
                is_late = ZERO < order.stop_price < lowest
                if order.side is Side.SELL and order.is_open and not is_late:
                    selling += order.remaining
        return held, selling

    def _lowest(self, owner: tuple[str, str]) -> Decimal:
        """Return where a stop of this owner must be by now at least (R-15)."""
        known_s = trio.current_time() - RAISED_S
        levels = self.levels.get(owner, ())
        known = (level.stop_loss for level in levels if level.since_s <= known_s)
        return max(known, default=ZERO) - TICKS

    def _read(self, rows: Sequence[DiskRow]) -> None:
        if len(rows) < self._seen:  # a power loss took some
            self._seen = 0
            self._intents.clear()
            self._orders.clear()
            self._dust.clear()
            self.levels.clear()
        for each in rows[self._seen :]:
            if each.row.kind in _KINDS:
                self._take(decode(each.row.kind, each.row.body), trio.current_time())
        self._seen = len(rows)

    def _take(self, fact: object, now_s: float) -> None:
        match fact:
            case Intended():
                self._intents[fact.intent_id] = fact.bot, fact.symbol
            case Attempted():
                self._orders[fact.client_order_id] = self._intents[fact.intent_id]
            case PositionClosed():
                owner = fact.bot, fact.symbol
                self._dust[owner] = self._dust.get(owner, ZERO) + fact.dust_base
                self.levels.pop(owner, None)
            case PositionOpened(stop_loss=Decimal()) | StopMoved():
                level = Level(fact.stop_loss or ZERO, now_s)
                self.levels.setdefault((fact.bot, fact.symbol), []).append(level)
            case _:
                pass


def _moved(order: Order) -> Decimal:
    """Return what an order has added to what its bot holds."""
    sign = 1 if order.side is Side.BUY else -1
    base_asset = order.symbol.removesuffix("USDT")
    fees = sum((it.fee for it in order.fills if it.fee_asset == base_asset), ZERO)
    return sign * order.filled_base - fees


_KINDS: Final = frozenset({
    "intended", "attempted", "position_closed", "position_opened", "stop_moved",
})  # fmt: skip
