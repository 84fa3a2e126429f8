"""What happened to signals, orders, positions and money: the facts that trading is made of.

They carry the bot and the account they are about; see `facts.py` for who tells them.
"""

from __future__ import annotations

from decimal import Decimal

import attrs

from actors.messages.market import Side
from actors.messages.orders import (
    ExitReason,
    OrderStatus,
    OrderType,
    Protection,
    Purpose,
    Signal,
)


@attrs.frozen
class SignalGenerated:
    """A signal that is not a repetition of the one before."""

    bot: str
    symbol: str
    signal: Signal
    price: Decimal
    price_age_ms: int
    repeated: int  # times the signal before was said again


@attrs.frozen
class Refused:
    """A wish that broke a rule, and the rule it broke."""

    bot: str
    account: str
    symbol: str
    intent_id: str
    purpose: Purpose
    code: str
    reasons: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    current_exposure: Decimal = Decimal(0)
    exposure_max: Decimal = Decimal(0)


@attrs.frozen
class Intended:
    """An order we have decided on; durable before the first byte of it leaves (R-06)."""

    bot: str
    account: str
    exchange: str
    symbol: str
    intent_id: str
    purpose: Purpose
    side: Side
    order_type: OrderType
    base: Decimal
    price: Decimal  # live price at the decision
    limit_price: Decimal | None
    stop_price: Decimal | None
    strategy: str
    notes: str
    position_id: str = ""  # of an exit
    exit_reason: ExitReason | None = None
    replaces: str = ""  # client order id of the protective stop that makes room for it
    is_adopted: bool = False  # it was at the exchange before it was ours
    protection: Protection | None = None  # of what an entry buys

    @property
    def is_protective(self) -> bool:
        """Whether it rests at the exchange as a position's stop."""
        return self.purpose is Purpose.EXIT and self.stop_price is not None


@attrs.frozen
class Attempted:
    bot: str
    account: str
    symbol: str
    intent_id: str
    attempt: int
    client_order_id: str
    attempt_ms: int  # our clock, corrected to the venue's


@attrs.frozen
class Acknowledged:
    bot: str
    account: str
    symbol: str
    client_order_id: str
    venue_order_id: str


@attrs.frozen
class OutcomeUnknown:
    bot: str
    account: str
    symbol: str
    client_order_id: str
    reason: str


@attrs.frozen
class Filled:
    """One execution of one of our orders; unique by exchange, account, symbol, trade id."""

    bot: str
    account: str
    exchange: str
    symbol: str
    client_order_id: str
    trade_id: str
    side: Side
    price: Decimal
    base: Decimal
    fee: Decimal
    fee_asset: str
    is_maker: bool
    trade_ms: int


@attrs.frozen
class CancelRequested:
    """We asked for a cancel; nothing waits for this to be durable (I-12)."""

    bot: str
    account: str
    symbol: str
    client_order_id: str
    number: int  # of the requests for this order
    reason: str = ""


@attrs.frozen
class CancelRejected:
    """The venue would not cancel, and still has the order."""

    bot: str
    account: str
    symbol: str
    client_order_id: str
    number: int  # of the request
    code: str = ""
    reason: str = ""


@attrs.frozen
class Ended:
    """The last word on an order: one of the terminal statuses."""

    bot: str
    account: str
    symbol: str
    client_order_id: str
    status: OrderStatus
    filled_base: Decimal
    code: str = ""
    reason: str = ""


@attrs.frozen
class PositionOpened:
    bot: str
    account: str
    exchange: str
    symbol: str
    position_id: str
    entry: Decimal
    base: Decimal
    stop_loss: Decimal | None
    take_profit: Decimal | None
    trailing_stop: Decimal | None  # percent


@attrs.frozen
class StopMoved:
    bot: str
    account: str
    symbol: str
    position_id: str
    stop_loss: Decimal
    high: Decimal


@attrs.frozen
class ExitTriggered:
    """A stop or a target was hit: `stop_loss_hit` or `take_profit_hit`."""

    bot: str
    account: str
    symbol: str
    position_id: str
    reason: ExitReason
    exit_price: Decimal
    pnl: Decimal  # unrealized, quote


@attrs.frozen
class PositionClosed:
    bot: str
    account: str
    symbol: str
    position_id: str
    exit_reason: ExitReason
    exit_price: Decimal
    pnl: Decimal  # realized, net of fees, quote
    dust_base: Decimal  # what is left below the venue's minimum
    notes: str


@attrs.frozen
class Balanced:
    """What the account holds of one asset, as the venue says."""

    account: str
    asset: str
    free: Decimal
    locked: Decimal


@attrs.frozen
class Reconciled:
    account: str
    why: str
    open_orders: int
    fills_booked: int
    orders_settled: int
    drifts: tuple[str, ...]  # one line for each disagreement; empty is good
    foreign_orders: int
    execution: str = ""  # the run that made the pass
    foreign: tuple[str, ...] = ()  # a line for each of the first of them
