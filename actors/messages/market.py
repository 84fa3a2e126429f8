"""What an exchange says about a market, in our words.

Prices are quote per base, quantities are base, both finite Decimals. Symbols are
canonical ("BTC/USDT"). `_ms` is Unix time as the exchange told it; `received_s` is this
run's monotonic clock, the only one ages are measured on.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum

import attrs


class Side(Enum):
    BUY = "buy"
    SELL = "sell"


class Channel(Enum):
    """The market channels a reader may want."""

    TICKER = "ticker"
    BOOK_TOP = "book_top"
    TRADES = "trades"
    CANDLES = "candles"
    BOOK = "book"


class Source(Enum):
    """Where a price came from: pushed by the stream, or asked for over REST."""

    STREAM = "stream"
    REST = "rest"


@attrs.frozen(order=True)
class Pair:
    """One symbol at one exchange; written "kraken:BTC/USD"."""

    exchange: str
    symbol: str

    def __str__(self) -> str:
        return f"{self.exchange}:{self.symbol}" if self.exchange else self.symbol


@attrs.frozen
class Subscription:
    """One channel of one symbol; `timeframe` ("1m") only for candles."""

    symbol: str
    channel: Channel
    timeframe: str = ""


@attrs.frozen
class Wanted:
    """Everything one reader wants of one exchange: replaces what it wanted before."""

    reader: str
    subscriptions: frozenset[Subscription]
    candles_min: int = 0  # closed candles its strategy needs before it can judge
    is_follower: bool = False  # reads what others want too, and keeps nothing subscribed


@attrs.frozen
class StreamTerms:
    """What a venue allows on one market-data connection, and what it tells there."""

    subscriptions_max: int
    age_s_max: float | None = None  # the venue closes the connection then
    is_book_streamed: bool = False  # snapshots come by the stream, otherwise over REST
    timeframes: frozenset[str] = frozenset()  # of the candles that the stream tells
    has_quiet_candles: bool = True  # also of times in which nobody traded
    history: frozenset[str] = frozenset()  # timeframes that REST tells; empty: every one


@attrs.frozen
class Ticker:
    """The last price with best bid and ask, and the volume of 24 hours."""

    exchange: str
    symbol: str
    last: Decimal
    bid: Decimal  # 0 when the side is empty
    ask: Decimal  # 0 when the side is empty
    volume_base: Decimal  # of 24 hours
    exchange_ms: int
    received_s: float
    source: Source = Source.STREAM


@attrs.frozen
class BookTop:
    """The best bid and ask with their quantities."""

    exchange: str
    symbol: str
    bid: Decimal
    bid_base: Decimal
    ask: Decimal
    ask_base: Decimal
    update_id: int
    received_s: float


@attrs.frozen
class Traded:
    """One public trade, as an exchange reported it."""

    exchange: str
    symbol: str
    trade_id: int
    price: Decimal
    base: Decimal
    side: Side  # of the taker
    trade_ms: int
    received_s: float


@attrs.frozen
class Candle:
    """One candle. Final only by the venue's flag or by a later candle (R-26)."""

    exchange: str
    symbol: str
    timeframe: str
    open_ms: int
    close_ms: int  # last millisecond inside
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume_base: Decimal
    volume_quote: Decimal
    trades: int
    is_closed: bool


@attrs.frozen
class BookDelta:
    """Changed levels of a diff-depth stream. Crosses no channel; the feed applies it."""

    exchange: str
    symbol: str
    first_id: int
    last_id: int
    bids: tuple[tuple[Decimal, Decimal], ...]  # price, base; base 0 removes
    asks: tuple[tuple[Decimal, Decimal], ...]
    exchange_ms: int


@attrs.frozen
class BookSnapshot:
    """A whole book, or the best levels of it, best first."""

    exchange: str
    symbol: str
    last_id: int
    bids: tuple[tuple[Decimal, Decimal], ...]
    asks: tuple[tuple[Decimal, Decimal], ...]
    received_s: float


@attrs.frozen
class SubscriptionAccepted:
    request_id: int


@attrs.frozen
class SubscriptionRefused:
    request_id: int | None
    code: int
    reason: str
    symbol: str = ""  # that alone is refused; "" is the connection's matter


@attrs.frozen
class VenueClosing:
    """The exchange announced that it will close this connection: reconnect now."""


@attrs.frozen
class PassedOver:
    """A well-formed frame that carries nothing for us, and why."""

    reason: str


@attrs.frozen
class PricesReplaced:
    """Prices gave way to newer ones of their symbols before anybody decoded them."""

    count: int


StreamMessage = (
    Ticker
    | BookTop
    | Traded
    | Candle
    | BookDelta
    | BookSnapshot
    | SubscriptionAccepted
    | SubscriptionRefused
    | VenueClosing
    | PassedOver
    | PricesReplaced
)


@attrs.frozen
class Trades:
    """Public trades a reader has not taken yet, oldest first. Merged, never dropped.

    Until it is taken, only the feed touches the list: it appends.
    """

    exchange: str
    symbol: str
    trades: list[Traded]


@attrs.frozen
class Candles:
    """Closed candles a reader has not taken yet, and the window that ends with them.

    `window` is shared by every reader of the same symbol and timeframe, oldest first.
    `running` is the candle still open, if the stream has shown one.
    """

    exchange: str
    symbol: str
    timeframe: str
    closed: tuple[Candle, ...]
    window: tuple[Candle, ...]
    running: Candle | None = None


class Link(Enum):
    """What a feed says of its prices."""

    CONNECTING = "connecting"
    GAP = "gap"  # prices are missing since `since_s`
    RESUMED = "resumed"  # every subscription was proven by a datum


@attrs.frozen
class FeedState:
    """The feed's word on its connection; bots trade only on RESUMED."""

    exchange: str
    link: Link
    since_s: float
    attempt: int = 0
    reason: str = ""
    bad_frames: int = 0  # that could not be read, in this life of the feed
    prices_replaced: int = 0  # by newer ones, before they were decoded, in this life
    symbols: tuple[str, ...] = ()  # those concerned; none named: every one


@attrs.frozen
class ClockStepped:
    """The wall clock jumped or the machine slept: nothing known before is fresh (D-6)."""

    jump_ms: int
    at_s: float
    reason: str


@attrs.frozen
class ClockJudged:
    """Whether a venue's time is known well enough to begin something new (R-29)."""

    exchange: str
    doubt: str  # why not; "" is good


@attrs.frozen
class ListingDoubted:
    """The exchange refused an order: what it lists may be something else by now."""

    symbol: str
    reason: str
