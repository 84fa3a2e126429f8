"""Write market frames exactly as Binance does; what the simulator says, we hear.

Source: web-socket-streams.md, 2026-07-21. Figures have eight decimals on the wire.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import attrs
import msgspec

from actors.messages import BookDelta, BookSnapshot, BookTop, Candle, Side, Ticker, Traded
from adapters.figures import eight

SHUTDOWN_STREAM = "!serverShutdown"


@attrs.frozen
class Day:
    """The rest of what a 24-hour ticker says: statistics of the rolling day."""

    open: Decimal
    high: Decimal
    low: Decimal
    previous_close: Decimal
    last_base: Decimal
    bid_base: Decimal
    ask_base: Decimal
    volume_quote: Decimal
    open_ms: int
    first_id: int
    last_id: int
    trades: int

    def change(self, last: Decimal) -> Decimal:
        return last - self.open

    def change_percent(self, last: Decimal) -> Decimal:
        return (last - self.open) / self.open * 100 if self.open else Decimal(0)

    def average(self, volume_base: Decimal) -> Decimal:
        return self.volume_quote / volume_base if volume_base else Decimal(0)


def combined(stream: str, event: str) -> str:
    """Return `event` as a /stream connection carries it."""
    return f'{{"stream":"{stream}","data":{event}}}'


def encode_ticker(ticker: Ticker, venue_symbol: str, day: Day) -> str:
    """Return a 24hrTicker event."""
    last = ticker.last
    return (
        f'{{"e":"24hrTicker","E":{ticker.exchange_ms},"s":"{venue_symbol}"'
        f',"p":"{eight(day.change(last))}","P":"{day.change_percent(last):.3f}"'
        f',"w":"{eight(day.average(ticker.volume_base))}"'
        f',"x":"{eight(day.previous_close)}","c":"{eight(last)}"'
        f',"Q":"{eight(day.last_base)}","b":"{eight(ticker.bid)}"'
        f',"B":"{eight(day.bid_base)}","a":"{eight(ticker.ask)}"'
        f',"A":"{eight(day.ask_base)}","o":"{eight(day.open)}","h":"{eight(day.high)}"'
        f',"l":"{eight(day.low)}","v":"{eight(ticker.volume_base)}"'
        f',"q":"{eight(day.volume_quote)}","O":{day.open_ms},"C":{ticker.exchange_ms}'
        f',"F":{day.first_id},"L":{day.last_id},"n":{day.trades}}}'
    )


def encode_book_top(top: BookTop, venue_symbol: str) -> str:
    """Return a bookTicker event; it has neither a name nor a time."""
    return (
        f'{{"u":{top.update_id},"s":"{venue_symbol}","b":"{eight(top.bid)}"'
        f',"B":"{eight(top.bid_base)}","a":"{eight(top.ask)}","A":"{eight(top.ask_base)}"}}'
    )


def encode_trade(trade: Traded, venue_symbol: str) -> str:
    """Return a trade event."""
    is_buyer_maker = "true" if trade.side is Side.SELL else "false"
    return (
        f'{{"e":"trade","E":{trade.trade_ms},"s":"{venue_symbol}","t":{trade.trade_id}'
        f',"p":"{eight(trade.price)}","q":"{eight(trade.base)}","T":{trade.trade_ms}'
        f',"m":{is_buyer_maker},"M":true}}'
    )


def encode_kline(
    candle: Candle, venue_symbol: str, *, event_ms: int, first_id: int, last_id: int
) -> str:
    """Return a kline event; the taker's share is told as half."""
    closed = "true" if candle.is_closed else "false"
    return (
        f'{{"e":"kline","E":{event_ms},"s":"{venue_symbol}","k":{{"t":{candle.open_ms}'
        f',"T":{candle.close_ms},"s":"{venue_symbol}","i":"{candle.timeframe}"'
        f',"f":{first_id},"L":{last_id},"o":"{eight(candle.open)}"'
        f',"c":"{eight(candle.close)}","h":"{eight(candle.high)}"'
        f',"l":"{eight(candle.low)}","v":"{eight(candle.volume_base)}"'
        f',"n":{candle.trades},"x":{closed},"q":"{eight(candle.volume_quote)}"'
        f',"V":"{eight(candle.volume_base / 2)}","Q":"{eight(candle.volume_quote / 2)}"'
        ',"B":"0"}}'
    )


def encode_depth(delta: BookDelta, venue_symbol: str) -> str:
    """Return a depthUpdate event."""
    return (
        f'{{"e":"depthUpdate","E":{delta.exchange_ms},"s":"{venue_symbol}"'
        f',"U":{delta.first_id},"u":{delta.last_id}'
        f',"b":{_levels(delta.bids)},"a":{_levels(delta.asks)}}}'
    )


def encode_partial_depth(book: BookSnapshot) -> str:
    """Return a partial depth event, or the body of GET /api/v3/depth: they are the same."""
    return (
        f'{{"lastUpdateId":{book.last_id}'
        f',"bids":{_levels(book.bids)},"asks":{_levels(book.asks)}}}'
    )


def encode_shutdown(event_ms: int) -> str:
    """Return a serverShutdown event; combined, its stream is SHUTDOWN_STREAM."""
    return f'{{"e":"serverShutdown","E":{event_ms}}}'


def encode_ack(request_id: int | str | None) -> str:
    """Return the answer to a SUBSCRIBE or UNSUBSCRIBE that was taken."""
    return _json({"result": None, "id": request_id})


def encode_listing(streams: list[str], request_id: int | str | None) -> str:
    """Return the answer to LIST_SUBSCRIPTIONS."""
    return _json({"result": streams, "id": request_id})


def encode_error(
    code: int, text: str, request_id: int | str | None, *, nested: bool = False
) -> str:
    """Return a refusal, in the documented shape or in the nested one seen live."""
    if nested:
        return _json({"error": {"code": code, "msg": text}, "id": request_id})
    return _json({"code": code, "msg": text, "id": request_id})


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _levels(rows: Iterable[tuple[Decimal, Decimal]]) -> str:
    return "[" + ",".join([f'["{p:.8f}","{b:.8f}"]' for p, b in rows]) + "]"
