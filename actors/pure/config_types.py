"""What `bots.toml` says, once it is known to be good: frozen, typed, complete.

Numbers about money and percents are Decimal, `_s` are float seconds. What each key
means and allows stands in `config_schema`; `docs/configuration.md` is printed from there.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Literal

import attrs

from actors.messages import Channel, OrderType, Pair
from actors.pure.config_simulator import SimulatorConfig
from actors.pure.reconnect import ReconnectPolicy


class Mode(Enum):
    """Where prices and orders are real. Read once, shown everywhere (R-44)."""

    SIM = "sim"
    PAPER = "paper"
    LIVE = "live"


@attrs.frozen(kw_only=True)
class SupervisionConfig:
    """The numbers of every actor's circuit breaker that people may set."""

    circuit_breaker: bool = True
    threshold: int = 3
    reset_s: float = 60.0
    max_consecutive: int = 10


@attrs.frozen(kw_only=True)
class SilenceConfig:
    """How long a channel may be silent before its feed reconnects; 0 is for ever."""

    ticker: float = 10.0
    book_top: float = 30.0
    book: float = 30.0
    candles: float = 30.0
    trades: float = 0.0

    def by_channel(self) -> Mapping[Channel, float]:
        return {
            Channel.TICKER: self.ticker,
            Channel.BOOK_TOP: self.book_top,
            Channel.BOOK: self.book,
            Channel.CANDLES: self.candles,
            Channel.TRADES: self.trades,
        }


class MarketSocket(Enum):
    """What carries an exchange's public market data: the library that reads its frames."""

    WEBSOCKETS = "websockets"
    TRIO_WEBSOCKET = "trio-websocket"


@attrs.frozen(kw_only=True)
class ExchangeConfig:
    """One exchange: where it is, and how long to wait for it."""

    name: str
    url: str  # market-data WebSocket
    rest_url: str
    ws_api_url: str  # orders and the private stream
    trading_rest_url: str = ""  # orders and balances by REST, where not at `rest_url`
    send_keys_to_this_host: bool = False
    ca_file: str | None = None  # vouches for hosts that are not the exchange's own (S-9)
    market_socket: MarketSocket = MarketSocket.WEBSOCKETS
    reconnect: ReconnectPolicy = attrs.Factory(ReconnectPolicy)
    connect_s: float = 30.0
    ping_s: float = 30.0
    pong_s: float = 10.0
    proof_s: float = 10.0
    silence_s: SilenceConfig = attrs.Factory(SilenceConfig)
    fallback_after_s: float = 5.0
    poll_s: float = 2.0
    maker_fee_percent: Decimal  # of mode "paper"
    taker_fee_percent: Decimal
    clock_offset_ms_max: int = 5_000
    clock_uncertainty_ms_max: int = 1_000


@attrs.frozen(kw_only=True)
class RiskConfig:
    """The limits of one account. None is no limit."""

    exposure_percent_max: Decimal = Decimal(100)
    daily_loss_percent_max: Decimal | None = None
    positions_max: int | None = None
    order_quote_max: Decimal | None = None
    price_age_s_max: float = 10.0
    # Hard caps of each bot, where its own table has none.
    orders_per_minute_max: int = 300
    daily_turnover_quote_max: Decimal | None = None  # 1,000 times the bot's capital
    daily_fees_quote_max: Decimal | None = None  # half of the bot's capital


@attrs.frozen(kw_only=True)
class AccountConfig:
    """A tenant: an owner, an exchange, references to keys, limits."""

    name: str
    exchange: str
    owner: str = "me"
    key: str | None = None  # "env:NAME" or "file:/path", never the key itself (S-1)
    secret: str | None = None
    passphrase: str | None = None  # of the kind of key that has one
    dead_man_s: float | None = None  # after which the venue cancels every order
    capital: Decimal  # quote; where not given, the sum of its bots' capital
    paper_balances: Mapping[str, Decimal] = attrs.Factory(dict[str, Decimal])
    risk: RiskConfig = attrs.Factory(RiskConfig)


@attrs.frozen(kw_only=True)
class BotConfig:
    """One bot. `params` are what `strategies.build` takes; a built-in one took them."""

    name: str
    type: Literal["trading", "arbitrage", "leg"] = "trading"
    account: str
    symbol: str
    reads: tuple[Pair, ...] = ()  # what its strategy sees besides
    strategy: str = ""  # of a trading bot
    params: Mapping[str, object] = attrs.Factory(dict[str, object])
    timeframe: str = "1m"
    timeframes: tuple[str, ...] = ()
    flow_s: tuple[int, ...] = ()
    book: bool = False
    capital: Decimal  # quote
    position_percent: Decimal
    other: str = ""  # of an arbitrage: the bot of its other leg
    profit_percent: Decimal | None = None  # of an arbitrage
    inventory_percent: Decimal = Decimal(0)  # of an arbitrage and its leg
    order: OrderType = OrderType.MARKET
    limit_offset_percent: Decimal = Decimal(0)
    stop_trigger_percent: Decimal = Decimal("0.1")
    stop_limit_percent: Decimal = Decimal("0.1")
    stop_loss_percent: Decimal | None = None
    take_profit_percent: Decimal | None = None
    trailing_stop_percent: Decimal | None = None
    protective_stop: bool = True
    protective_limit_percent: Decimal = Decimal("0.5")
    exit_wait_s: float = 10.0
    evaluate_s: float | Literal["tick", "candle"] = 60.0
    check_s: float = 5.0
    enabled: bool = True
    orders_per_minute_max: int | None = None
    daily_turnover_quote_max: Decimal | None = None
    daily_fees_quote_max: Decimal | None = None
    circuit_breaker: bool = True
    threshold: int = 3
    reset_s: float = 60.0
    max_consecutive: int = 10

    @property
    def supervision(self) -> SupervisionConfig:
        """The bot's own numbers where it has some, else those of `[supervision]`."""
        return SupervisionConfig(
            circuit_breaker=self.circuit_breaker,
            threshold=self.threshold,
            reset_s=self.reset_s,
            max_consecutive=self.max_consecutive,
        )


@attrs.frozen(kw_only=True)
class JournalConfig:
    price_every_s: float = 10.0
    free_mb_warn: float = 200.0
    free_mb_safe: float = 50.0


@attrs.frozen(kw_only=True)
class Config:
    """A whole `bots.toml`. Every name in it refers to something in it."""

    mode: Mode = Mode.SIM
    state: str = "var"
    supervision: SupervisionConfig = attrs.Factory(SupervisionConfig)
    exchanges: Mapping[str, ExchangeConfig]
    accounts: Mapping[str, AccountConfig]
    bots: tuple[BotConfig, ...]
    simulator: SimulatorConfig = attrs.Factory(SimulatorConfig)
    journal: JournalConfig = attrs.Factory(JournalConfig)

    def exchange_of(self, bot: BotConfig) -> ExchangeConfig:
        """Return the exchange that `bot` trades on."""
        return self.exchanges[self.accounts[bot.account].exchange]

    def bot(self, name: str) -> BotConfig:
        """Return the bot of that name."""
        return next(bot for bot in self.bots if bot.name == name)

    def pair_of(self, bot: BotConfig) -> Pair:
        """Return what `bot` trades, and where."""
        return Pair(self.accounts[bot.account].exchange, bot.symbol)

    def bots_of(self, account: str) -> tuple[BotConfig, ...]:
        """Return the bots that trade on `account`, in the order of the file."""
        return tuple(bot for bot in self.bots if bot.account == account)
