"""Exchange's frames, made of what the exchange knows: tickers, matches, books, orders."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import attrs
import msgspec

from actors.messages import BookDelta, BookSnapshot, Side, Ticker, Traded
from actors.pure.matching_book import BookSide, Changes
from actors.pure.matching_orders import CONDITIONAL, Kind, Order, Report, Step, Trade
from adapters.coinbase.codec import market_writer
from adapters.simulator.coinbase_orders import client_oid, stop_word
from adapters.simulator.coinbase_texts import (
    eight,
    micro,
    named_uuid,
    order_uuid,
    plain,
    product_id,
)
from adapters.simulator.exchange import FIRST_ID, Exchange, Ware

NAME: Final = "coinbase"
DAYS: Final = 30  # volume_30d is thirty times the day's: nobody trades by it
SIDES: Final = {Side.BUY: "buy", Side.SELL: "sell"}
OTHER: Final = {Side.BUY: Side.SELL, Side.SELL: Side.BUY}
BY_TIME_IN_FORCE: Final = "101:Time In Force"


@attrs.frozen
class Parties:
    """Whose orders met in a trade, as order ids."""

    maker: str
    taker: str


def parties(trade: Trade, own: Iterable[Report]) -> Parties:
    """Return the two order ids of a trade; those of the market itself are made up."""
    ids = {
        is_maker: named_uuid("order", trade.symbol, str(trade.trade_id), str(is_maker))
        for is_maker in (True, False)
    }
    for report in own:
        if report.fill is not None:
            ids[report.fill.is_maker] = order_uuid(report.order.order_id)
    return Parties(ids[True], ids[False])


def last_trade_id(ware: Ware) -> int:
    """Return the number of the last trade; those before the start had numbers, too."""
    return ware.day.last_id if ware.day.last_id > 0 else FIRST_ID - 1


def ticker(
    ware: Ware,
    last: Trade | None,
    sequence: int,
    now_ms: int,
    price: Decimal | None = None,
) -> str:
    """Return the ticker as of the last trade, or as of the day when there was none.

    Units: `price` in quote per base, where it is to be told instead of the last one.
    """
    day, name = ware.day, ware.listing.symbol
    bid, bid_base = ware.book.bids.top()
    ask, ask_base = ware.book.asks.top()
    at_ms = last.trade_ms if last else now_ms
    message = Ticker(NAME, name, price or day.last, bid, ask, day.base, at_ms, 0.0)
    rest = market_writer.TickerRest(
        sequence=sequence,
        open=day.open,
        high=day.high,
        low=day.low,
        volume_30d=day.base * DAYS,
        bid_base=bid_base,
        ask_base=ask_base,
        side=last.taker_side if last else Side.BUY,
        trade_id=last_trade_id(ware),
        last_base=day.last_base,
    )
    return market_writer.encode_ticker(message, product_id(ware.listing), rest)


def match(
    ware: Ware, trade: Trade, found: Parties, sequence: int, *, is_last: bool = False
) -> str:
    """Return a public match, or the last one before a subscription."""
    traded = Traded(
        NAME,
        ware.listing.symbol,
        trade.trade_id,
        trade.price,
        trade.base,
        trade.taker_side,
        trade.trade_ms,
        0.0,
    )
    return market_writer.encode_match(
        traded,
        product_id(ware.listing),
        sequence=sequence,
        maker_order_id=found.maker,
        taker_order_id=found.taker,
        is_last=is_last,
    )


def snapshot(ware: Ware) -> str:
    """Return the whole book."""
    book = ware.book
    bids, asks = (tuple(it.depth(len(it.levels))) for it in (book.bids, book.asks))
    message = BookSnapshot(
        NAME, ware.listing.symbol, book.update_id, bids, asks, received_s=0.0
    )
    return market_writer.encode_snapshot(message, product_id(ware.listing))


def update(ware: Ware, changes: Changes, now_ms: int) -> str:
    """Return what changed in the book since the changes were last cleared."""
    book = ware.book
    message = BookDelta(
        exchange=NAME,
        symbol=ware.listing.symbol,
        first_id=changes.first_id,
        last_id=book.update_id,
        bids=changed(book.bids, changes.bids),
        asks=changed(book.asks, changes.asks),
        exchange_ms=now_ms,
    )
    return market_writer.encode_update(message, product_id(ware.listing))


def changed(side: BookSide, prices: set[Decimal]) -> tuple[tuple[Decimal, Decimal], ...]:
    """Return what is at `prices` now, best first; nothing is zero."""
    levels, zero = side.levels, Decimal(0)
    return tuple(
        (price, levels[price].total if price in levels else zero)
        for price in sorted(prices, reverse=side.side is Side.BUY)
    )


class OrderFrames:
    """The frames of one account's orders: what the user channel says."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def received(self, order: Order, sequence: int, at_ms: int) -> bytes:
        fields: dict[str, object] = {"order_type": "limit"}
        if order.kind is Kind.MARKET:
            fields = {"order_type": "market"}
            if order.quote:
                fields["funds"] = plain(order.quote)
        else:
            fields["price"] = plain(order.price)
        if not order.quote:
            fields["size"] = plain(order.base)
        oid = client_oid(order)
        if oid:
            fields["client_oid"] = oid
        return self._frame("received", order, sequence, at_ms, fields)

    def activate(self, order: Order, sequence: int, at_ms: int) -> bytes:
        fields: dict[str, object] = {
            "timestamp": f"{at_ms / 1000:.6f}",
            "stop_type": stop_word(order),
            "stop_price": plain(order.stop_price),
            "size": plain(order.base),
            "private": True,
        }
        return self._frame("activate", order, sequence, at_ms, fields)

    def change(self, order: Order, sequence: int, at_ms: int) -> bytes:
        """Return that an order was edited; what it was before is not told."""
        fields: dict[str, object] = {
            "reason": "modify_order",
            "new_size": plain(order.base),
            "new_price": plain(order.price),
        }
        return self._frame("change", order, sequence, at_ms, fields)

    def open(self, order: Order, filled: Decimal, sequence: int, at_ms: int) -> bytes:
        fields: dict[str, object] = {
            "price": plain(order.price),
            "remaining_size": plain(order.base - filled),
        }
        return self._frame("open", order, sequence, at_ms, fields)

    def done(self, report: Report, sequence: int) -> bytes:
        order = report.order
        fields: dict[str, object] = {"reason": "canceled"}
        if report.step is Step.TRADE:
            fields["reason"] = "filled"
        elif report.step is Step.EXPIRED:
            fields["cancel_reason"] = BY_TIME_IN_FORCE
        if order.kind is not Kind.MARKET:
            fields["price"] = plain(order.price)
            fields["remaining_size"] = plain(order.base - report.filled_base)
        return self._frame("done", order, sequence, report.at_ms, fields)

    def match(self, report: Report, found: Parties, sequence: int) -> bytes:
        """Return one's own fill: with the ids and the fee rate of one's own side."""
        order, fill = report.order, report.fill
        if fill is None:
            raise TypeError("a match without a fill")
        config, whose = self._exchange.config, "maker" if fill.is_maker else "taker"
        rate = config.maker_fee if fill.is_maker else config.taker_fee
        fields: dict[str, object] = {
            "trade_id": fill.trade.trade_id,
            "maker_order_id": found.maker,
            "taker_order_id": found.taker,
            "side": SIDES[OTHER[fill.trade.taker_side]],
            "size": eight(fill.trade.base),
            "price": plain(fill.trade.price),
            f"{whose}_user_id": named_uuid("user", order.account),
            f"{whose}_profile_id": named_uuid("profile", order.account),
            f"{whose}_fee_rate": f"{rate}",
        }
        return self._frame("match", order, sequence, report.at_ms, fields)

    def _frame(
        self,
        kind: str,
        order: Order,
        sequence: int,
        at_ms: int,
        fields: dict[str, object],
    ) -> bytes:
        ware = self._exchange.wares[order.symbol]
        common: dict[str, object] = {
            "type": kind,
            "product_id": product_id(ware.listing),
            "user_id": named_uuid("user", order.account),
            "profile_id": named_uuid("profile", order.account),
        }
        if kind != "match":
            common |= {"order_id": order_uuid(order.order_id), "side": SIDES[order.side]}
        if kind != "activate":
            common |= {"sequence": sequence, "time": micro(at_ms)}
        return msgspec.json.encode(common | fields)


def is_parked(report: Report) -> bool:
    """Tell whether a new order waits for its trigger, beside the book."""
    return report.step is Step.NEW and report.order.kind in CONDITIONAL
