"""Recorded sessions of Binance's combined streams, played as the market.

What was not recorded (candles, 24-hour tickers) is derived from the recorded trades; the
engine's makers quote the recorded top of book, so that orders match against it. The book
that REST shows is the recorded snapshot until the session has passed it, then the
snapshot with the changes since: it always bridges.
"""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Final

import attrs
import msgspec
import trio

from actors.messages import BookSnapshot, Side
from actors.pure.matching_orders import Trade
from adapters.simulator.binance_dialect import BinanceDialect
from adapters.simulator.binance_publisher import NAME
from adapters.simulator.dialect import Line, Survey
from adapters.simulator.replay import BadRecording, read_lines

TICKER_MS: Final = 1000
Levels = dict[Decimal, Decimal]


class Payload(msgspec.Struct):
    """What a replay must know of a frame's event."""

    e: str = ""
    E: int = 0
    s: str = ""
    t: int = 0
    p: str = "0"
    q: str = "0"
    T: int = 0
    m: bool = False
    u: int = 0
    b: str | list[tuple[str, str]] = ""
    a: str | list[tuple[str, str]] = ""
    B: str = "0"
    A: str = "0"


class Frame(msgspec.Struct):
    stream: str = ""
    data: Payload | None = None
    last_update_id: int = msgspec.field(default=0, name="lastUpdateId")
    bids: list[tuple[str, str]] = []
    asks: list[tuple[str, str]] = []


@attrs.define
class RecordedBook:
    """The recorded book as far as the session has been played."""

    bids: Levels = attrs.Factory(Levels)
    asks: Levels = attrs.Factory(Levels)
    last_id: int = 0


_frame = msgspec.json.Decoder(Frame)
_raw = msgspec.json.Decoder(dict[str, msgspec.Raw])


def survey(path: Path) -> Survey:
    """Return a file's symbol, its first trade and its first book.

    Raises:
      BadRecording: the file has no trades, or is no recording.
    """
    first: Payload | None = None
    snapshot: Frame | None = None
    with closing(read_lines(path)) as lines:
        for number, line in enumerate(lines):
            frame = _frame_of(line, path)
            if frame.last_update_id:
                snapshot = frame
            if first is None and frame.data is not None and frame.data.e == "trade":
                first = frame.data
            if first is not None and (snapshot is not None or number > 2000):
                break
    if first is None:
        raise BadRecording(f"{path}: no trades in it")
    book = None if snapshot is None else _snapshot(snapshot, first.s)
    return Survey(path, first.s, first.p, first.T, book)


def _frame_of(line: Line, path: Path) -> Frame:
    try:
        return _frame.decode(line.raw)
    except msgspec.MsgspecError as error:
        raise BadRecording(f"{path}: {error}: {line.raw[:100]}") from error


def _snapshot(frame: Frame, symbol: str) -> BookSnapshot:
    return BookSnapshot(
        NAME,
        symbol,
        frame.last_update_id,
        tuple((Decimal(p), Decimal(q)) for p, q in frame.bids),
        tuple((Decimal(p), Decimal(q)) for p, q in frame.asks),
        0.0,
    )


class BinancePlayer:
    """The recorded frames on their way to Binance's readers."""

    def __init__(self, dialect: BinanceDialect, sessions: tuple[Survey, ...]) -> None:
        self._dialect = dialect
        self._books = {session.symbol: RecordedBook() for session in sessions}
        self._snapshots = {s.symbol: s.snapshot for s in sessions if s.snapshot}
        self._ticker_at: dict[str, int] = {}
        dialect.exchange.recorded_depth = self.depth

    @property
    def has_readers(self) -> trio.Event:
        return self._dialect.publisher.has_readers

    def play(self, session: Survey, line: Line) -> None:
        """Let one recorded line happen now."""
        frame = _frame_of(line, session.path)
        if frame.data is not None and frame.stream:
            text = bytes(_raw.decode(line.raw)["data"]).decode()
            self._play_frame(session.symbol, frame.stream, text, frame.data)

    async def wait_room(self, symbol: str) -> None:
        """Let the slowest reader keep up: nothing may be lost at full speed."""
        await trio.lowlevel.checkpoint()
        for reader in self._dialect.publisher.readers_of(symbol):
            await reader.outbox.wait_room()

    def depth(self, symbol: str, limit: int) -> BookSnapshot:
        """Return the book as REST shows it at this moment of the session."""
        recorded, book = self._snapshots.get(symbol), self._books[symbol]
        if recorded is not None and recorded.last_id >= book.last_id:
            return attrs.evolve(
                recorded, bids=recorded.bids[:limit], asks=recorded.asks[:limit]
            )
        bids = sorted(book.bids.items(), reverse=True)[:limit]
        asks = sorted(book.asks.items())[:limit]
        return BookSnapshot(NAME, symbol, book.last_id, tuple(bids), tuple(asks), 0.0)

    def _play_frame(self, symbol: str, stream: str, text: str, event: Payload) -> None:
        dialect = self._dialect
        name = dialect.exchange.wares[symbol].listing.symbol
        if event.e == "depthUpdate":
            self._apply(symbol, event)
        elif event.e == "trade":
            self._trade(symbol, event)
        elif stream.endswith("@bookTicker"):
            self._quote(symbol, event)
        dialect.publisher.publish(stream, text, name)
        dialect.flush()
        at_ms = event.E or event.T
        if at_ms and at_ms // TICKER_MS != self._ticker_at.get(symbol):
            self._ticker_at[symbol] = at_ms // TICKER_MS
            self._tick(symbol, at_ms)

    def _tick(self, symbol: str, at_ms: int) -> None:
        """Once a recorded second: close candles, show the open ones and the ticker."""
        dialect = self._dialect
        for timeframe, bar in dialect.exchange.wares[symbol].chart.roll(at_ms):
            dialect.publisher.kline(symbol, timeframe, bar)
        dialect.publisher.klines(symbol, at_ms)
        dialect.publisher.ticker(symbol, at_ms)

    def _trade(self, symbol: str, event: Payload) -> None:
        exchange, publisher = self._dialect.exchange, self._dialect.publisher
        side = Side.SELL if event.m else Side.BUY
        price = Decimal(event.p)
        trade = Trade(event.t, symbol, price, Decimal(event.q), side, event.T)
        for _, timeframe, bar in exchange.trade(trade):
            publisher.kline(symbol, timeframe, bar)
        exchange.engine.tell_last(symbol, price, exchange.now_ms())

    def _quote(self, symbol: str, event: Payload) -> None:
        exchange = self._dialect.exchange
        bid, ask = Decimal(str(event.b)), Decimal(str(event.a))
        exchange.wares[symbol].market.quote_top(
            (bid, Decimal(event.B)), (ask, Decimal(event.A)), exchange.now_ms()
        )

    def _apply(self, symbol: str, event: Payload) -> None:
        """Keep the recorded book; before the snapshot its levels are only those seen."""
        book, recorded = self._books[symbol], self._snapshots.get(symbol)
        if recorded is not None and book.last_id < recorded.last_id <= event.u:
            book.bids, book.asks = dict(recorded.bids), dict(recorded.asks)
        for levels, rows in ((book.bids, event.b), (book.asks, event.a)):
            for price, base in () if isinstance(rows, str) else rows:
                if amount := Decimal(base):
                    levels[Decimal(price)] = amount
                else:
                    levels.pop(Decimal(price), None)
        book.last_id = event.u
