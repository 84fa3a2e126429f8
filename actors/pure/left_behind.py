"""Say what an account leaves at its exchange when the fleet stops (R-39). Pure."""

from __future__ import annotations

from actors.messages import OrderStatus
from actors.pure.books import Books
from actors.pure.money import plain
from actors.pure.order_life import Order

NAMED_MAX = 5  # positions in one line; the rest are counted


def left_behind(books: Books) -> str:
    """Return which positions stay open, and which of them the exchange guards itself."""
    held = [each for each in sorted(books.holdings.open) if books.of(*each).base]
    if not held:
        return ""
    guarded: list[str] = []
    leaving: list[str] = []
    bare: list[str] = []
    for bot, symbol in held:
        stop = _resting(books, bot, symbol)
        if stop is not None and stop.intended.stop_price is not None:
            guarded.append(f"{bot} {symbol} {plain(stop.intended.stop_price)}")
        elif any(not it.is_protective for it in books.orders.live_exits(bot, symbol)):
            leaving.append(f"{bot} {symbol}")
        else:
            bare.append(f"{bot} {symbol}")
    count = "1 position stays" if len(held) == 1 else f"{len(held)} positions stay"
    parts = [f"{count} open"]
    if guarded:
        parts.append(f"guarded by a stop at the exchange: {_listed(guarded)}")
    if leaving:
        parts.append(f"exits sent, to be booked at the next start: {_listed(leaving)}")
    if bare:
        parts.append(f"guarded by nothing at the exchange: {_listed(bare)}")
    return " · ".join(parts)


def _resting(books: Books, bot: str, symbol: str) -> Order | None:
    resting = {OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED}
    exits = books.orders.live_exits(bot, symbol)
    stops = [each for each in exits if each.is_protective and each.status in resting]
    return stops[-1] if stops else None


def _listed(names: list[str]) -> str:
    more = len(names) - NAMED_MAX
    return ", ".join(names[:NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
