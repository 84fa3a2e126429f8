"""Plays recorded sessions as the market: same frames, same pace, bots may trade on them.

Frames go out as they were recorded. What was not recorded (candles, 24-hour tickers) is
derived from the recorded trades; the engine's makers quote the recorded top of book, so
that orders match against it. The book that REST shows is the recorded snapshot until the
session has passed it, then the snapshot with the changes since: it always bridges.
"""

from __future__ import annotations

import gzip
from collections.abc import Generator, Mapping
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Final

import attrs
import msgspec
import trio

from actors.messages import BookSnapshot, Side
from actors.pure.matching_orders import Trade
from adapters.simulator.binance_dialect import Dialect
from adapters.simulator.config import Listing, SimulatorConfig
from adapters.simulator.publisher import NAME

TICKER_MS: Final = 1000
Levels = dict[Decimal, Decimal]


class BadRecording(ValueError):
    """A file is not a recorded session of Binance's combined streams."""


class Line(msgspec.Struct):
    """One line of a session file."""

    ts: str
    dir: str
    raw: str


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


@attrs.frozen
class Session:
    """One recorded file, one symbol."""

    path: Path
    symbol: str
    snapshot: BookSnapshot | None


@attrs.frozen
class Recordings:
    config: SimulatorConfig
    sessions: tuple[Session, ...]
    starts_ms: Mapping[str, int]


@attrs.define
class RecordedBook:
    """The recorded book as far as the session has been played."""

    bids: Levels = attrs.Factory(Levels)
    asks: Levels = attrs.Factory(Levels)
    last_id: int = 0


_line = msgspec.json.Decoder(Line)
_frame = msgspec.json.Decoder(Frame)
_raw = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read_lines(path: Path) -> Generator[Line]:
    """Return the lines of a session file, gzipped or not.

    Raises:
      BadRecording: the file cannot be read as one.
    """
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as lines:
            for text in lines:
                yield _line.decode(text)
    except OSError as error:
        raise BadRecording(f"{path}: {error.strerror or error}") from error
    except EOFError as error:
        raise BadRecording(f"{path}: {error}") from error
    except msgspec.MsgspecError as error:
        raise BadRecording(f"{path}: no recording of a market: {error}") from error


def load_recordings(config: SimulatorConfig) -> Recordings:
    """Look through the recordings: which symbols, from what price and time.

    Raises:
      BadRecording: a file has no trades, or is no recording.
    """
    listings = {listing.venue_symbol: listing for listing in config.listings}
    played: dict[str, Listing] = {}
    starts_ms: dict[str, int] = {}
    sessions: list[Session] = []
    for path in config.replay:
        session, first = _survey(path)
        listing = listings.get(session.symbol)
        if listing is None:
            raise BadRecording(f"{path}: {session.symbol} is not a listed symbol")
        played[session.symbol] = attrs.evolve(listing, price=Decimal(first.p))
        starts_ms.setdefault(session.symbol, first.T)
        sessions.append(session)
    if sessions:
        config = attrs.evolve(config, listings=tuple(played.values()))
    return Recordings(config, tuple(sessions), starts_ms)


def _survey(path: Path) -> tuple[Session, Payload]:
    """Return a file's session and its first trade."""
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
    return Session(path, first.s, book), first


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


class Replay:
    """The recorded sessions on their way through one dialect."""

    def __init__(self, dialect: Dialect, sessions: tuple[Session, ...]) -> None:
        self._dialect = dialect
        self._sessions = sessions
        self._books = {session.symbol: RecordedBook() for session in sessions}
        self._snapshots = {s.symbol: s.snapshot for s in sessions if s.snapshot}
        self._ticker_at: dict[str, int] = {}
        self.frames_played = 0
        self.is_over = trio.Event()
        dialect.exchange.recorded_depth = self.depth

    async def run(self) -> None:
        """Wait for the first reader, then play every session beside the others."""
        config, publisher = self._dialect.exchange.config, self._dialect.publisher
        await publisher.has_readers.wait()
        await trio.sleep(config.replay_wait_s)
        by_symbol: dict[str, list[Session]] = {}
        for session in self._sessions:
            by_symbol.setdefault(session.symbol, []).append(session)
        async with trio.open_nursery() as nursery:
            for sessions in by_symbol.values():
                nursery.start_soon(self._play_all, sessions)
        self.is_over.set()

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

    async def _play_all(self, sessions: list[Session]) -> None:
        await trio.lowlevel.checkpoint()
        for session in sessions:
            await self._play(session)

    async def _play(self, session: Session) -> None:
        await trio.lowlevel.checkpoint()
        speed = self._dialect.exchange.config.replay_speed
        began_s, first_s = trio.current_time(), None
        with closing(read_lines(session.path)) as lines:
            for line in lines:
                ts_s = float(line.ts)
                first_s = ts_s if first_s is None else first_s
                if speed:
                    await trio.sleep_until(began_s + (ts_s - first_s) / speed)
                else:
                    await self._wait_for_readers(session.symbol)
                self._play_line(session, line)

    def _play_line(self, session: Session, line: Line) -> None:
        frame = _frame_of(line, session.path)
        if frame.data is not None and frame.stream:
            text = bytes(_raw.decode(line.raw)["data"]).decode()
            self._play_frame(session.symbol, frame.stream, text, frame.data)

    async def _wait_for_readers(self, symbol: str) -> None:
        """Let the slowest reader keep up: nothing may be lost at full speed."""
        await trio.lowlevel.checkpoint()
        for reader in self._dialect.publisher.readers_of(symbol):
            await reader.outbox.wait_room()

    def _play_frame(self, symbol: str, stream: str, text: str, event: Payload) -> None:
        dialect = self._dialect
        name = dialect.exchange.wares[symbol].listing.symbol
        self.frames_played += 1
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
