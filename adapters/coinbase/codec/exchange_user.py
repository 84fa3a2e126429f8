"""Hear the user channel of the Exchange feed: the life of one account's orders.

Only `received` names the client's order id, so what follows names the venue's alone; the
stream knows which is which. A match carries our fee rate where we are a party to it.

Source: Exchange WebSocket channels, "Full channel", "User channel".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, TypeVar

import attrs
import msgspec

from actors.messages import (
    OrderStatus,
    PassedOver,
    Side,
    SubscriptionRefused,
    VenueFill,
)
from actors.pure.money import split_symbol
from adapters.coinbase.codec import words
from adapters.coinbase.codec.feed import EXCHANGE, Subscribed, Symbols, decode_feed
from adapters.coinbase.codec.feed_frames import Frame, Loose
from adapters.coinbase.codec.times import NOT_TOLD, Time, epoch_ms
from adapters.errors import RemoteProtocolError
from adapters.figures import UNREADABLE, Figure, Ident, Word, amount, bad, positive


class ReceivedFrame(Frame):
    order_id: Word
    side: Word
    order_type: Word
    time: Time
    size: Figure | None = None
    price: Figure | None = None
    client_oid: Word | None = None


class OpenFrame(Frame):
    order_id: Word
    side: Word
    time: Time


class DoneFrame(Frame):
    order_id: Word
    side: Word
    reason: Word
    time: Time
    remaining_size: Figure | None = None


class ActivateFrame(Frame):
    order_id: Word
    side: Word
    timestamp: Word  # seconds with a fraction


class ChangeFrame(Frame):
    order_id: Word = ""
    time: Time = ""


class UserMatchFrame(Frame):
    trade_id: Ident
    maker_order_id: Word
    taker_order_id: Word
    side: Word  # of the maker
    size: Figure
    price: Figure
    time: Time
    taker_user_id: str | None = None  # where we are the taker
    maker_user_id: str | None = None
    taker_fee_rate: Figure | None = None
    maker_fee_rate: Figure | None = None


@attrs.frozen
class Received:
    """The venue took an order, ours or, on the full channel, anybody's."""

    symbol: str
    venue_order_id: str
    client_order_id: str
    side: Side
    order_type: str
    base: Decimal | None  # None: by funds
    limit_price: Decimal | None
    at_ms: int


@attrs.frozen
class Rests:
    """An order is on the book, or a stop waits for its price, or its size has changed.

    How much of it remains is not read: that shrinks by self-trade prevention, too.
    """

    symbol: str
    venue_order_id: str
    at_ms: int


@attrs.frozen
class Done:
    symbol: str
    venue_order_id: str
    status: OrderStatus
    remaining_base: Decimal | None  # None: of a market order
    at_ms: int


@attrs.frozen
class Matched:
    """An execution; `fee` is None where the frame does not tell our rate."""

    symbol: str
    venue_order_id: str
    trade_id: str
    side: Side
    price: Decimal
    base: Decimal
    fee: Decimal | None
    is_maker: bool
    at_ms: int

    def fill(self, client_order_id: str, fee: Decimal) -> VenueFill:
        """Return it as a fill of the order that has this id."""
        return VenueFill(
            EXCHANGE,
            self.symbol,
            client_order_id,
            self.venue_order_id,
            self.trade_id,
            self.side,
            self.price,
            self.base,
            fee,
            split_symbol(self.symbol)[1],
            self.is_maker,
            self.at_ms,
        )


UserHeard = Received | Rests | Done | Matched | Subscribed | PassedOver
F = TypeVar("F", bound=Frame)
Hear = Callable[[str | bytes, Symbols], UserHeard]

_loose = msgspec.json.Decoder(Loose)


def _of_product(kind: type[F], tell: Callable[[F, str], UserHeard]) -> Hear:
    decoder = msgspec.json.Decoder(kind)

    def hear(text: str | bytes, symbols: Symbols) -> UserHeard:
        frame = decoder.decode(text)
        symbol = symbols.get(frame.product_id)
        if symbol is None:
            return PassedOver(f"product {frame.product_id!a} is not one of ours")
        return tell(frame, symbol)

    return hear


def _received(frame: ReceivedFrame, symbol: str) -> Received:
    return Received(
        symbol,
        frame.order_id,
        frame.client_oid or "",
        words.side(frame.side),
        frame.order_type,
        amount(frame.size) if frame.size else None,
        amount(frame.price) if frame.price else None,
        epoch_ms(frame.time),
    )


def _open(frame: OpenFrame, symbol: str) -> Rests:
    return Rests(symbol, frame.order_id, epoch_ms(frame.time))


def _activate(frame: ActivateFrame, symbol: str) -> Rests:
    at_ms = int(amount(frame.timestamp) * 1000)
    return Rests(symbol, frame.order_id, at_ms)


def _change(frame: ChangeFrame, symbol: str) -> Rests | PassedOver:
    if not frame.order_id:
        return PassedOver("change of an order without its id")
    return Rests(symbol, frame.order_id, epoch_ms(frame.time) or NOT_TOLD)


def _done(frame: DoneFrame, symbol: str) -> Done:
    status = words.exchange_status("done", frame.reason, is_filling=False)
    remaining = amount(frame.remaining_size) if frame.remaining_size else None
    return Done(symbol, frame.order_id, status, remaining, epoch_ms(frame.time))


def _matched(frame: UserMatchFrame, symbol: str) -> Matched:
    is_maker = frame.taker_user_id is None and frame.taker_fee_rate is None
    maker_side = words.side(frame.side)
    taker_side = Side.SELL if maker_side is Side.BUY else Side.BUY
    rate = frame.maker_fee_rate if is_maker else frame.taker_fee_rate
    price, base = positive(frame.price), positive(frame.size)
    return Matched(
        symbol,
        frame.maker_order_id if is_maker else frame.taker_order_id,
        str(frame.trade_id),
        maker_side if is_maker else taker_side,
        price,
        base,
        price * base * amount(rate) if rate else None,
        is_maker,
        epoch_ms(frame.time),
    )


_BY_TYPE: Final[Mapping[str, Hear]] = {
    "received": _of_product(ReceivedFrame, _received),
    "open": _of_product(OpenFrame, _open),
    "activate": _of_product(ActivateFrame, _activate),
    "change": _of_product(ChangeFrame, _change),
    "done": _of_product(DoneFrame, _done),
    "match": _of_product(UserMatchFrame, _matched),
}


def decode_user(text: str | bytes, symbols: Symbols) -> UserHeard:
    """Return what one frame of a signed connection says.

    Raises:
      RemoteProtocolError: unreadable, or the venue's own error; reconcile.
    """
    try:
        kind = _loose.decode(text).type
        hear = _BY_TYPE.get(kind)
        if hear is not None:
            return hear(text, symbols)
    except UNREADABLE as error:
        raise bad("user frame", text, error) from error
    heard = decode_feed(text, symbols, 0.0)
    if isinstance(heard, (Subscribed, PassedOver)):
        return heard
    if kind == "error":
        raise RemoteProtocolError(f"the venue refuses: {text[:200]!a}")
    return PassedOver(f"type {kind!a} is told by another connection")


def decode_refusal(text: str | bytes, symbols: Symbols) -> SubscriptionRefused | None:
    """Return the venue's error if it names a product as the reason."""
    try:
        heard = decode_feed(text, symbols, 0.0)
    except RemoteProtocolError:
        return None
    if isinstance(heard, SubscriptionRefused) and heard.symbol:
        return heard
    return None
