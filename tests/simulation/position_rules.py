"""The ledger read once more, by code of its own: positions are what fills make of them.

A position begins with the first purchase while nothing is held but dust, and one row tells
of it before another tells its end. What its end says it earned is what its fills brought
in, what it says is left is what they left (R-18). Fills may have been recorded while the
end was decided: they count as if they had come afterwards (R-12).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

import attrs

from actors.messages import Filled, PositionClosed, PositionOpened, Side, StopMoved
from actors.pure.config import Config
from actors.pure.facts import decode
from tests.simulation.disk import DiskRow

ZERO: Final = Decimal(0)
ROUNDED: Final = Decimal("0.00000000001")  # averages have twelve places
TICKS: Final = Decimal("0.2")  # two of them, by which a level is rounded at most

Owner = tuple[str, str]  # bot, symbol


@attrs.frozen
class Moment:
    """What a bot held after one fill, and what came and went for it by then."""

    base: Decimal = ZERO
    quote: Decimal = ZERO  # got for sales less paid, less fees in quote
    opener: str = ""  # the order whose purchase began the position; "" while flat
    bought_base: Decimal = ZERO  # since then
    bought_quote: Decimal = ZERO
    sold_base: Decimal = ZERO
    sold_quote: Decimal = ZERO

    def after(self, fill: Filled) -> Moment:
        """Return the moment after one more fill."""
        base_asset, quote_asset = fill.symbol.split("/")
        value = fill.base * fill.price
        sign = 1 if fill.side is Side.BUY else -1
        base = self.base + sign * fill.base - _fee(fill, base_asset)
        quote = self.quote - sign * value - _fee(fill, quote_asset)
        if fill.side is Side.BUY:
            begun = self if self.opener else Moment(opener=fill.client_order_id)
            bought = begun.bought_base + fill.base, begun.bought_quote + value
            moment = attrs.evolve(begun, bought_base=bought[0], bought_quote=bought[1])
        else:
            sold = self.sold_base + fill.base, self.sold_quote + value
            moment = attrs.evolve(self, sold_base=sold[0], sold_quote=sold[1])
        return attrs.evolve(moment, base=base, quote=quote)

    def is_entry(self, opened: PositionOpened) -> bool:
        """Tell whether a beginning was told as of this moment."""
        if not self.bought_base or opened.base != self.base + self.sold_base:
            return False
        return abs(self.bought_quote / self.bought_base - opened.entry) <= ROUNDED


@attrs.define
class Owned:
    """The moments of one bot and symbol since its last position was closed."""

    moments: list[Moment] = attrs.Factory(lambda: [Moment()])
    fills: list[Filled] = attrs.Factory(list[Filled])
    opened: PositionOpened | None = None

    @property
    def now(self) -> Moment:
        return self.moments[-1]

    def take(self, fill: Filled) -> None:
        """Take one fill."""
        self.fills.append(fill)
        self.moments.append(self.now.after(fill))

    def close(self, number: int) -> None:
        """Begin anew after so many fills."""
        left = self.fills[number:]
        self.moments, self.fills = [Moment(base=self.moments[number].base)], []
        self.opened = None
        for fill in left:
            self.take(fill)


@attrs.define
class PositionRules:
    """A fold over the ledger that notes positions that are not what fills make of them."""

    nearest: Mapping[str, Decimal]  # percent under the entry of the nearer stop, by bot
    said: list[str] = attrs.Factory(list[str])
    rows: int = 0  # read so far
    owned: dict[Owner, Owned] = attrs.Factory(dict[Owner, Owned])

    @classmethod
    def of(cls, config: Config) -> PositionRules:
        """Return a judge of the bots that `config` has."""
        nearest: dict[str, Decimal] = {}
        for bot in config.bots:
            percents = bot.stop_loss_percent, bot.trailing_stop_percent
            found = [each for each in percents if each is not None]
            nearest |= {bot.name: min(found)} if found else {}
        return cls(nearest)

    def read(self, rows: Sequence[DiskRow]) -> list[str]:
        """Take rows in their order; return what was found so far."""
        self.rows += len(rows)
        for each in rows:
            if each.row.kind in _KINDS:
                self.take(decode(each.row.kind, each.row.body))
        return self.said

    def take(self, fact: object) -> None:
        """Take one fact."""
        match fact:
            case Filled():
                self._of(fact.bot, fact.symbol).take(fact)
            case PositionOpened():
                self._open(fact)
            case StopMoved():
                self._move(fact)
            case PositionClosed():
                self._close(fact)
            case _:
                pass

    def unsettled(self) -> list[str]:
        """Return what at rest must not be: holdings without a position, or the reverse."""
        said: list[str] = []
        for (bot, symbol), owned in self.owned.items():
            now = owned.now
            if now.opener and owned.opened is None:
                said.append(f"R-18: no row tells that {bot} holds {now.base} {symbol}")
            if owned.opened is not None and now.base <= 0:
                said.append(f"R-18: no row tells that {bot} holds no {symbol} any more")
        return said

    def _open(self, fact: PositionOpened) -> None:
        owned, place = self._of(fact.bot, fact.symbol), f"{fact.position_id} of {fact.bot}"
        if owned.opened is not None:
            self.said.append(f"R-18: {place} is open beside {owned.opened.position_id}")
        if not owned.now.opener or not fact.position_id.startswith(owned.now.opener):
            self.said.append(f"R-09: {place} did not begin with {owned.now.opener or 'it'}")
        if not any(moment.is_entry(fact) for moment in owned.moments):
            self.said.append(f"R-18: {place} is told as {fact.base} at {fact.entry}")
        percent = self.nearest.get(fact.bot)
        if percent is not None:
            lowest = min(fact.entry * (1 - percent / 100), fact.entry) - TICKS
            if fact.stop_loss is None or fact.stop_loss < lowest:
                self.said.append(f"R-15: {place} has its stop at {fact.stop_loss}")
        owned.opened = fact

    def _move(self, fact: StopMoved) -> None:
        """A slow ledger may write two moves in either order; the higher one counts."""
        owned = self._of(fact.bot, fact.symbol)
        begun = owned.opened.stop_loss if owned.opened is not None else None
        if begun is not None and fact.stop_loss < begun:
            self.said.append(
                f"R-15: the stop of {fact.position_id} moves from {begun}"
                f" to {fact.stop_loss}"
            )

    def _close(self, fact: PositionClosed) -> None:
        owned, place = self._of(fact.bot, fact.symbol), f"{fact.position_id} of {fact.bot}"
        if owned.opened is None or owned.opened.position_id != fact.position_id:
            self.said.append(f"R-18: {place} is closed, and no row tells that it began")
        held = [(n, it) for n, it in enumerate(owned.moments) if it.opener]
        as_of = [n for n, it in held if it.base == fact.dust_base]
        if not as_of:
            text = f"{place} is closed with {fact.dust_base} left, not {owned.now.base}"
            self.said.append(f"R-18: {text}")
            owned.close(len(owned.fills))
            return
        then = owned.moments[as_of[-1]]
        if abs(then.quote - fact.pnl) > ROUNDED:
            self.said.append(f"R-18: {place} is told to earn {fact.pnl}, not {then.quote}")
        price = then.sold_quote / then.sold_base if then.sold_base else ZERO
        if abs(price - fact.exit_price) > ROUNDED:
            self.said.append(f"R-18: {place} is told to be sold at {fact.exit_price}")
        owned.close(as_of[-1])

    def _of(self, bot: str, symbol: str) -> Owned:
        return self.owned.setdefault((bot, symbol), Owned())


def _fee(fill: Filled, asset: str) -> Decimal:
    return fill.fee if fill.fee_asset == asset else ZERO


_KINDS: Final = frozenset({"filled", "position_opened", "stop_moved", "position_closed"})
