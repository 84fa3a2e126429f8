"""The words of the matching engine: orders, executions, and why an order is refused."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum

import attrs

from actors.messages import OrderStatus, Side

ZERO = Decimal(0)
MAKERS = ""  # the account of the market itself: it has whatever it needs


class Kind(Enum):
    MARKET = "market"
    LIMIT = "limit"
    LIMIT_MAKER = "limit_maker"
    STOP_LOSS_LIMIT = "stop_loss_limit"
    TAKE_PROFIT_LIMIT = "take_profit_limit"


CONDITIONAL = frozenset({Kind.STOP_LOSS_LIMIT, Kind.TAKE_PROFIT_LIMIT})


class Lasting(Enum):
    """How long an order may rest."""

    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"


class Rejection(Enum):
    """Why the engine did not take an order."""

    INSUFFICIENT_BALANCE = "insufficient_balance"
    DUPLICATE = "duplicate"
    WOULD_MATCH = "would_match"
    WOULD_TRIGGER = "would_trigger"
    NO_LAST_PRICE = "no_last_price"


@attrs.frozen
class Pair:
    """One market: what is traded for what, and in which steps."""

    symbol: str
    base_asset: str
    quote_asset: str
    lot: Decimal  # base


@attrs.frozen
class Fees:
    """Rates, taken from what the trader receives, or always from the quote asset."""

    maker: Decimal = Decimal("0.001")
    taker: Decimal = Decimal("0.001")
    is_in_quote: bool = False  # a buyer pays it on top of the price

    @property
    def on_top(self) -> Decimal:
        """Return the highest rate that a buyer must be able to pay beside the price."""
        return max(self.maker, self.taker) if self.is_in_quote else ZERO


@attrs.frozen
class NewOrder:
    """An order as asked for; prices and quantities were checked by the venue's rules."""

    account: str
    client_order_id: str
    symbol: str
    side: Side
    kind: Kind
    base: Decimal  # 0 when sized in quote
    price: Decimal = ZERO  # limit, quote per base; 0 for a market order
    stop_price: Decimal = ZERO
    quote: Decimal = ZERO  # a market order may be sized in quote instead
    lasting: Lasting = Lasting.GTC


@attrs.define(eq=False)
class Order:
    """One order's life at the venue. Only the engine changes it."""

    order_id: int
    account: str
    client_order_id: str
    symbol: str
    side: Side
    kind: Kind
    lasting: Lasting
    base: Decimal
    quote: Decimal
    price: Decimal
    stop_price: Decimal
    created_ms: int
    updated_ms: int
    working_ms: int = -1  # when it reached the book
    filled_base: Decimal = ZERO
    filled_quote: Decimal = ZERO
    locked: Decimal = ZERO  # of what it pays with, still reserved
    status: OrderStatus = OrderStatus.OPEN
    cancel_id: str = ""  # the id that the cancel came with
    fills: list[Fill] = attrs.Factory(list["Fill"])

    @property
    def remaining(self) -> Decimal:
        return self.base - self.filled_base

    @property
    def is_open(self) -> bool:
        return self.status in {OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED}


@attrs.frozen
class Trade:
    """One execution as the public sees it."""

    trade_id: int
    symbol: str
    price: Decimal
    base: Decimal
    taker_side: Side
    trade_ms: int


@attrs.frozen
class Fill:
    """One execution as one of the two traders sees it."""

    trade: Trade
    order_id: int
    side: Side
    is_maker: bool
    fee: Decimal
    fee_asset: str


class Step(Enum):
    """What happened to an order."""

    NEW = "new"
    TRIGGERED = "triggered"
    AMENDED = "amended"
    TRADE = "trade"
    CANCELED = "canceled"
    EXPIRED = "expired"


@attrs.frozen
class Report:
    """One step of one order's life; the order's numbers as they were right after it."""

    step: Step
    order: Order
    status: OrderStatus
    filled_base: Decimal
    filled_quote: Decimal
    is_working: bool
    at_ms: int
    fill: Fill | None = None


@attrs.define
class Happened:
    """Everything since the last look, oldest first."""

    reports: list[Report] = attrs.Factory(list[Report])
    trades: list[Trade] = attrs.Factory(list[Trade])
    touched: dict[str, dict[str, None]] = attrs.Factory(dict[str, dict[str, None]])
