"""Make an order that was at the exchange before it was ours one of a bot's own. Pure.

Only by command, and only what the bot could have sent itself: one entry at a time, and
exits that together sell no more than is held (R-09, R-16, I-13, I-15). All its executions
become the bot's, also those from before.
"""

from __future__ import annotations

from collections.abc import Sequence

from actors.messages import (
    Acknowledged,
    Asked,
    Attempted,
    ExitReason,
    Fact,
    Intended,
    OrderType,
    Purpose,
    Side,
    VenueFill,
    VenueOrder,
)
from actors.pure.books import Books
from actors.pure.client_order_id import is_ours
from actors.pure.commands import NotPossible, Subject
from actors.pure.money import ZERO, plain


def foreign_line(venue: VenueOrder) -> str:
    """Return an order that is not ours as people read it, an id of it first (R-16)."""
    price = venue.limit_price or venue.stop_price
    at = f" at {plain(price)}" if price else ""
    name = venue.client_order_id or venue.venue_order_id
    what = f"{name} {venue.side.value} {plain(venue.base)} {venue.symbol}"
    return f"{what} {venue.order_type.lower()}{at}"


def strange_orders(
    still_open: Sequence[VenueOrder], books: Books, account_tag: str
) -> list[str]:
    """Return the ids of orders that carry our tag and that the ledger does not know."""
    ids = [venue.client_order_id for venue in still_open]
    known = books.orders
    return [it for it in ids if is_ours(it, account_tag) and known.get(it) is None]


def adopted(
    asked: Asked,
    bot: Subject,
    venue: VenueOrder,
    fills: Sequence[VenueFill],
    books: Books,
) -> tuple[Fact, ...]:
    """Return the facts that make `venue`, with its executions `fills`, the bot's own.

    Raises:
      NotPossible: it would be more than the bot itself may have.
    """
    if not venue.client_order_id:  # nor have others, whose executions it would get
        raise NotPossible(
            f"{venue.venue_order_id} has no client order id to know it by again: cancel it"
            " at the exchange"
        )
    executed = sum((fill.base for fill in fills), ZERO)
    if executed != venue.filled_base:
        raise NotPossible(
            f"the exchange tells {plain(executed)} of the {plain(venue.filled_base)} that"
            f" {venue.client_order_id} has filled: its executions would be lost"
        )
    _check(bot.bot, venue, books)
    order_id, owner = venue.client_order_id, (bot.bot, bot.account, venue.symbol)
    intended = _intended(asked, bot, venue, books)
    begun_ms = min([venue.update_ms, *(fill.trade_ms for fill in fills)])
    attempted = Attempted(*owner, intended.intent_id, 1, order_id, begun_ms)
    return intended, attempted, Acknowledged(*owner, order_id, venue.venue_order_id)


def _intended(asked: Asked, bot: Subject, venue: VenueOrder, books: Books) -> Intended:
    purpose = Purpose.ENTRY if venue.side is Side.BUY else Purpose.EXIT
    is_exit = purpose is Purpose.EXIT
    return Intended(
        bot.bot,
        bot.account,
        venue.exchange,
        venue.symbol,
        f"adopted/{venue.client_order_id}",
        purpose,
        venue.side,
        _type_of(venue),
        venue.base,
        venue.limit_price or venue.stop_price or ZERO,
        venue.limit_price,
        venue.stop_price,
        "",
        f"adopted by {asked.by or 'an operator'}: {asked.reason}",
        books.of(bot.bot, venue.symbol).position_id if is_exit else "",
        ExitReason.OPERATOR if is_exit else None,
        is_adopted=True,
    )


def _type_of(venue: VenueOrder) -> OrderType:
    if not venue.stop_price:
        return OrderType.LIMIT
    is_target = _is_target(venue)
    return OrderType.TAKE_PROFIT_LIMIT if is_target else OrderType.STOP_LOSS_LIMIT


def _is_target(venue: VenueOrder) -> bool:
    """Tell by the exchange's own word whether it waits for a better price.

    Coinbase has one type for both ways: "stop entry" or "stop_up" is above the market.
    """
    word = venue.order_type.lower()
    is_up = "entry" in word or "stop_up" in word
    is_better = is_up if venue.side is Side.SELL else "stop_down" in word
    return bool(venue.stop_price) and ("take" in word or is_better)


def _check(bot: str, venue: VenueOrder, books: Books) -> None:
    """Refuse what would break the rules of the bot's own orders."""
    entry = books.orders.live_entry(bot, venue.symbol)
    if venue.side is Side.BUY:
        if entry is not None:
            raise NotPossible(f"{bot} has an entry open already: {entry.client_order_id}")
        return
    if _is_target(venue):  # it would pass for the stop that guards the position (I-14)
        raise NotPossible(
            f"{venue.client_order_id} sells at a target ({venue.order_type}): cancel it at"
            f" the exchange, and give {bot} a take_profit_percent"
        )
    held = books.of(bot, venue.symbol).base
    left = held - books.orders.exiting_base(bot, venue.symbol)
    if venue.base > left:
        raise NotPossible(
            f"it sells {plain(venue.base)}, and {bot} has {plain(left)} {venue.symbol} that"
            " no other order sells"
        )
