"""Hear Advanced Trade's user channel: the state of orders, with a number on every frame.

Numbers count all frames of one connection; a frame that is missing was missed. An update
tells what has been filled in all, never single fills.

Source: Advanced Trade WebSocket channels, "User channel", "Heartbeats channel".
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import attrs
import msgspec

from actors.messages import VenueOrder
from adapters.coinbase.codec import words
from adapters.coinbase.codec.feed import EXCHANGE, Symbols
from adapters.coinbase.codec.times import Time, epoch_ms
from adapters.errors import RemoteProtocolError
from adapters.figures import UNREADABLE, Count, Figure, Word, amount, bad


class OrderUpdate(msgspec.Struct):
    order_id: Word
    client_order_id: str
    product_id: Word
    order_side: Word
    status: Word
    cumulative_quantity: Figure = "0"
    leaves_quantity: Figure = "0"
    order_type: Word = ""
    creation_time: Time = ""
    limit_price: Figure = ""
    stop_price: Figure = ""
    cancel_reason: str = ""
    reject_reason: str = ""


class UserEvent(msgspec.Struct):
    type: Word = "update"
    orders: list[OrderUpdate] | None = None


class AckEvent(msgspec.Struct):
    subscriptions: dict[str, list[str]] = {}


class Envelope(msgspec.Struct):
    channel: Word = ""
    sequence_num: Count | None = None
    timestamp: Time = ""
    events: msgspec.Raw = msgspec.Raw(b"[]")
    type: Word = ""  # of an error, which has no channel
    message: str = ""


@attrs.frozen
class Frame:
    """One frame: its number, what it says of orders, and which channels it confirms."""

    channel: str
    number: int | None
    orders: tuple[VenueOrder, ...] = ()
    is_snapshot: bool = False
    subscribed: Mapping[str, tuple[str, ...]] | None = None
    foreign: int = 0  # orders of products that are not ours


_envelope = msgspec.json.Decoder(Envelope)
_user = msgspec.json.Decoder(list[UserEvent])
_acks = msgspec.json.Decoder(list[AckEvent])


def decode_frame(text: str | bytes, symbols: Symbols) -> Frame:
    """Return what one frame says.

    Raises:
      RemoteProtocolError: unreadable, or the venue's own error; reconcile.
    """
    try:
        told = _envelope.decode(text)
        if told.channel == "user":
            return _user_frame(told, symbols)
        if told.channel == "subscriptions":
            named: dict[str, tuple[str, ...]] = {}
            for event in _acks.decode(told.events):
                named |= {name: tuple(ids) for name, ids in event.subscriptions.items()}
            return Frame(told.channel, told.sequence_num, subscribed=named)
    except UNREADABLE as error:
        raise bad("user frame", text, error) from error
    if told.channel:
        return Frame(told.channel, told.sequence_num)
    raise RemoteProtocolError(f"the venue refuses: {told.type} {told.message}"[:200])


def _user_frame(told: Envelope, symbols: Symbols) -> Frame:
    events = _user.decode(told.events)
    at_ms = epoch_ms(told.timestamp)
    updates = [update for event in events for update in event.orders or ()]
    ours = [update for update in updates if update.product_id in symbols]
    return Frame(
        told.channel,
        told.sequence_num,
        tuple([_order(update, symbols[update.product_id], at_ms) for update in ours]),
        is_snapshot=any(event.type == "snapshot" for event in events),
        foreign=len(updates) - len(ours),
    )


def _order(update: OrderUpdate, symbol: str, at_ms: int) -> VenueOrder:
    filled_base = amount(update.cumulative_quantity)
    return VenueOrder(
        exchange=EXCHANGE,
        symbol=symbol,
        client_order_id=update.client_order_id,
        venue_order_id=update.order_id,
        side=words.side(update.order_side),
        order_type=update.order_type,
        status=words.advanced_status(update.status, is_filling=bool(filled_base)),
        base=filled_base + amount(update.leaves_quantity),
        filled_base=filled_base,
        limit_price=_price(update.limit_price),
        stop_price=_price(update.stop_price),
        update_ms=at_ms or epoch_ms(update.creation_time),
        reason=(update.cancel_reason or update.reject_reason)[:160],
    )


def _price(text: str) -> Decimal | None:
    return (amount(text) or None) if text else None


def encode_subscription(channel: str, token: str) -> str:
    """Return the frame that subscribes to one channel of every product."""
    body = {"type": "subscribe", "channel": channel, "jwt": token}
    return msgspec.json.encode(body).decode()
