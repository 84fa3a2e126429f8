"""Wishes about orders, and the answers to them.

A wish is a noun (`OrderIntent`); it may wait, and past `valid_until_s` (this run's
monotonic clock) it is refused, never sent (I-16). Money is `Decimal`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum

import attrs

from actors.messages.market import Side


class SignalType(Enum):
    BUY = "BUY"
    SELL = "SELL"
    HOLD = "HOLD"


class OrderType(Enum):
    MARKET = "market"
    LIMIT = "limit"
    LIMIT_MAKER = "limit_maker"  # post-only: refused where it would trade at once
    STOP_LOSS_LIMIT = "stop_loss_limit"
    TAKE_PROFIT_LIMIT = "take_profit_limit"

    @property
    def is_limited(self) -> bool:
        """Whether it needs a limit price."""
        return self is not OrderType.MARKET

    @property
    def is_triggered(self) -> bool:
        """Whether it waits for a stop price before it works."""
        return self in {OrderType.STOP_LOSS_LIMIT, OrderType.TAKE_PROFIT_LIMIT}


class Purpose(Enum):
    """Whether an order adds risk or takes it away."""

    ENTRY = "entry"
    EXIT = "exit"


class ExitReason(Enum):
    STOP_LOSS = "stop_loss"
    TAKE_PROFIT = "take_profit"
    TRAILING_STOP = "trailing_stop"
    SIGNAL = "signal"
    OPERATOR = "operator"
    LEG = "leg"  # half of a group, or its hedge: sells a part, and the rest stays held


class OrderStatus(Enum):
    """How far an order's life has come; the order of the lines is the order of life."""

    NEW = "new"  # intent and attempt are durable, nothing was sent
    UNKNOWN = "unknown"  # the venue may or may not have it
    OPEN = "open"
    PARTIALLY_FILLED = "partially_filled"
    PENDING_CANCEL = "pending_cancel"  # it may still be executed until it has ended
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    NOT_PLACED = "not_placed"  # proven: the venue never took it


@attrs.frozen
class Signal:
    """What a strategy says, and why."""

    type: SignalType
    strength: float  # 0 … 1
    confidence: float  # 0 … 1
    reasons: tuple[str, ...]
    indicators: Mapping[str, Decimal] = attrs.Factory(dict[str, Decimal])


@attrs.frozen
class RiskAnswer:
    """The risk check's answer; exposures in percent of the account's capital."""

    approved: bool
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    current_exposure: Decimal
    exposure_max: Decimal


@attrs.frozen
class Protection:
    """What a bot's owner wants guarded, in percent of the entry; None is not guarded."""

    stop_loss_percent: Decimal | None = None
    take_profit_percent: Decimal | None = None
    trailing_stop_percent: Decimal | None = None


@attrs.frozen
class OrderIntent:
    """What a bot would like to buy. Nothing has been checked yet."""

    intent_id: str
    bot: str
    account: str
    exchange: str
    symbol: str
    side: Side
    order_type: OrderType
    base: Decimal  # already rounded down to the lot
    price: Decimal  # live price it was judged at
    limit_price: Decimal | None
    stop_price: Decimal | None
    strategy: str
    signal: Signal
    notes: str
    price_s: float  # when that price was received
    valid_until_s: float
    protection: Protection = attrs.Factory(Protection)  # of what it buys


@attrs.frozen
class Approved:
    """An intent that passed every risk rule. Only these may add risk at an exchange."""

    intent: OrderIntent
    answer: RiskAnswer


@attrs.frozen
class ExitIntent:
    """Close what a bot holds of one symbol. `orders` checks that it only reduces (I-13).

    With a stop price it is a protective stop: it rests at the exchange and closes the
    position when the market comes to it; without one it sells at the market now.
    """

    intent_id: str
    bot: str
    account: str
    exchange: str
    symbol: str
    position_id: str
    base: Decimal  # at most this much
    reason: ExitReason
    price: Decimal  # live price that asked for it
    notes: str
    valid_until_s: float
    stop_price: Decimal | None = None
    limit_price: Decimal | None = None

    @property
    def is_protective(self) -> bool:
        """Whether it is to rest at the exchange as a stop."""
        return self.stop_price is not None


@attrs.frozen
class CancelIntent:
    """Cancel one of our orders."""

    account: str
    bot: str
    symbol: str
    client_order_id: str
    reason: str


@attrs.frozen
class Lease:
    """The account stream's word that it hears the venue and has reconciled; it expires."""

    account: str
    valid_until_s: float
    frozen: frozenset[str] = (
        frozenset()
    )  # symbols the venue holds too little of: exits only


@attrs.frozen
class OrderRequest:
    """One attempt, ready to be sent; every field was checked against the instrument."""

    client_order_id: str
    symbol: str
    side: Side
    order_type: OrderType
    base: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None


@attrs.frozen
class VenueAck:
    """The venue took the order (or the cancel). `fills` may come with it."""

    client_order_id: str
    venue_order_id: str
    status: OrderStatus
    filled_base: Decimal
    transact_ms: int
    fills: tuple[VenueFill, ...] = ()


@attrs.frozen
class VenueReject:
    """A definite no: the code is on the whitelist of the endpoint, or no byte was sent."""

    client_order_id: str
    code: str
    reason: str


@attrs.frozen
class VenueUnknown:
    """Nobody can say what became of the request (time-out, EOF, 5xx, unreadable)."""

    client_order_id: str
    reason: str


@attrs.frozen
class VenueReplaced:
    """Both halves of one cancel-and-replace: the old order's, then the new one's."""

    cancelled: VenueAck | VenueReject | VenueUnknown
    placed: VenueAck | VenueReject | VenueUnknown


@attrs.frozen
class VenueFill:
    """One execution of one order, as the venue tells it."""

    exchange: str
    symbol: str
    client_order_id: str  # "" where the venue names only its own id
    venue_order_id: str
    trade_id: str
    side: Side
    price: Decimal
    base: Decimal
    fee: Decimal
    fee_asset: str
    is_maker: bool
    trade_ms: int


@attrs.frozen
class VenueOrder:
    """The state of one order, as the venue tells it."""

    exchange: str
    symbol: str
    client_order_id: str
    venue_order_id: str
    side: Side
    order_type: str  # the venue's own word: foreign orders may be of any type
    status: OrderStatus
    base: Decimal
    filled_base: Decimal
    limit_price: Decimal | None
    stop_price: Decimal | None
    update_ms: int
    reason: str = ""


@attrs.frozen
class VenueBalance:
    asset: str
    free: Decimal
    locked: Decimal


@attrs.frozen
class BalancesHeard:
    """Balances that changed; assets not named are as they were."""

    balances: tuple[VenueBalance, ...]
    event_ms: int


@attrs.frozen
class PrivateStreamEnded:
    """The venue ended the subscription though the socket lives: subscribe again."""

    reason: str


PrivateMessage = VenueOrder | VenueFill | BalancesHeard | PrivateStreamEnded
