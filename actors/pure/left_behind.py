"""Say what an account leaves at its exchange when the fleet stops (R-39). Pure."""

from __future__ import annotations

from decimal import Decimal

from actors.messages import OrderStatus, OrderType
from actors.pure.books import Books
from actors.pure.money import plain
from actors.pure.order_life import Order

NAMED_MAX = 5  # positions in one line; the rest are counted
MOST = Decimal("0.99")  # of a position: orders to sell it are rounded down to lots

GUARDED = "guarded by a stop at the exchange"
LEAVING = "exits sent, to be booked at the next start"
UNSURE = "exits sent, nobody knows yet whether they arrived"
BARE = "guarded by nothing at the exchange"


def left_behind(books: Books) -> str:
    """Return which positions stay open, and which of them the exchange guards itself."""
    held = [each for each in sorted(books.holdings.open) if books.of(*each).base]
    if not held:
        return ""
    places: dict[str, list[str]] = {words: [] for words in (GUARDED, LEAVING, UNSURE, BARE)}
    for bot, symbol in held:
        words, more = _guard_of(books, bot, symbol)
        places[words].append(f"{bot} {symbol}{more}")
    count = "1 position stays" if len(held) == 1 else f"{len(held)} positions stay"
    parts = [f"{words}: {_listed(names)}" for words, names in places.items() if names]
    return " · ".join([f"{count} open", *parts])


def _guard_of(books: Books, bot: str, symbol: str) -> tuple[str, str]:
    """Return how a position is left, and what else is to be said of it."""
    orders, held = books.orders, books.of(bot, symbol).base
    exits = orders.live_exits(bot, symbol)
    if any(it.is_unsure for it in exits):  # it may have taken the place of a stop, too
        return UNSURE, ""
    stop = _resting(books, bot, symbol)
    if stop is not None and stop.intended.stop_price is not None:
        return GUARDED, f" {plain(stop.intended.stop_price)}"
    market = (it for it in exits if it.intended.order_type is OrderType.MARKET)
    selling = sum((it.open_base for it in market), orders.sold_untold(bot, symbol))
    return (LEAVING if selling >= held * MOST else BARE), ""


def _resting(books: Books, bot: str, symbol: str) -> Order | None:
    resting = {OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED}
    exits = books.orders.live_exits(bot, symbol)
    stops = [each for each in exits if each.is_protective and each.status in resting]
    return stops[-1] if stops else None


def _listed(names: list[str]) -> str:
    more = len(names) - NAMED_MAX
    return ", ".join(names[:NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
