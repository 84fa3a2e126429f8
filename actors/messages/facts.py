"""What happened. The journal tells these, in order, and nobody else does.

A fact is frozen and complete: state is a fold of facts (D-5). Every fact of one bot
carries `bot`, every fact of one account carries `account`; the journal routes by them.
"""

from __future__ import annotations

from decimal import Decimal

import attrs

from actors.messages.market import Side
from actors.messages.orders import (
    ExitReason,
    OrderStatus,
    OrderType,
    Purpose,
    Signal,
)


@attrs.frozen
class FleetStarted:
    execution: str  # one per run
    mode: str
    bots: tuple[str, ...]
    version: str
    strategies: tuple[str, ...] = ()  # "BOT SHA-256" of each that is the user's own file


@attrs.frozen
class FleetStopped:
    execution: str
    reason: str


@attrs.frozen
class ExchangeConnected:
    exchange: str
    attempt: int  # 0 at the first connection of a life
    subscriptions: int
    proven_ms: int  # from subscribing to the last first datum
    readers: int
    gap_ms: int  # how long they were without prices


@attrs.frozen
class ExchangeDisconnected:
    exchange: str
    reason: str


@attrs.frozen
class ExchangeReconnecting:
    exchange: str
    attempt: int
    attempts_max: int
    delay_ms: int


@attrs.frozen
class FallbackBegun:
    """A stream is silent on a symbol; its prices now come over REST, marked so."""

    exchange: str
    symbol: str
    silent_ms: int


@attrs.frozen
class FallbackEnded:
    exchange: str
    symbol: str
    polls: int


@attrs.frozen
class PriceUpdated:
    """A price a bot saw. A sample: prices are replaced, not journalled one by one."""

    bot: str
    symbol: str
    price: Decimal
    bid: Decimal
    ask: Decimal
    volume: Decimal
    timestamp: int  # exchange's Unix ms


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
class BotPaused:
    bot: str
    account: str
    reason: str


@attrs.frozen
class BotResumed:
    bot: str
    account: str


@attrs.frozen
class BotStopped:
    """An operator stopped the bot; it stays stopped over restarts until started."""

    bot: str
    account: str


@attrs.frozen
class BotStarted:
    bot: str
    account: str


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


@attrs.frozen
class ClockMeasured:
    exchange: str
    offset_ms: int
    round_trip_ms: int


@attrs.frozen
class Supervised:
    """One transition of one actor, as the supervision log tells it."""

    path: str
    incarnation: int
    event: str
    old: str
    new: str
    error: str
    consecutive: int
    delay_ms: int
    uptime_ms: int
    mailbox_depth: int
    next: str


Fact = (
    FleetStarted
    | FleetStopped
    | ExchangeConnected
    | ExchangeDisconnected
    | ExchangeReconnecting
    | FallbackBegun
    | FallbackEnded
    | PriceUpdated
    | SignalGenerated
    | Refused
    | Intended
    | Attempted
    | Acknowledged
    | OutcomeUnknown
    | Filled
    | Ended
    | PositionOpened
    | StopMoved
    | ExitTriggered
    | PositionClosed
    | BotPaused
    | BotResumed
    | BotStopped
    | BotStarted
    | Balanced
    | Reconciled
    | ClockMeasured
    | Supervised
)


@attrs.frozen
class Told:
    """A fact on its way to one reader. `previous_seq` is the last one told to it."""

    seq: int
    previous_seq: int
    fact: Fact
    at_ms: int = 0  # our wall clock when it was recorded
