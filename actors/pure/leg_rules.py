"""Judge the selling leg of a group before either leg leaves. Pure.

An exit passes no risk check, since it must always be able to leave (I-12); a leg that sells
is no such exit but half of something new, so halts, prices and filters bar it as they bar
an entry, and it sells only what its bot holds. The stop that guards its inventory at the
exchange makes room for it, as for any exit.
"""

from __future__ import annotations

from actors.messages import (
    ExitIntent,
    ExitReason,
    Instrument,
    Intended,
    Purpose,
    Refused,
    Ticker,
)
from actors.pure.money import plain
from actors.pure.position_math import sellable_base
from actors.pure.risk_rules import Limits
from actors.pure.risk_state import RiskState

Bar = tuple[str, str]  # code, reason


def judge_sale(
    intent: ExitIntent,
    state: RiskState,
    limits: Limits,
    instrument: Instrument | None,
    ticker: Ticker | None,
    now_s: float,
) -> Refused | None:
    """Return why the sale may not be half of a group now, or None."""
    bar = (
        _moment_bar(intent, state, limits, ticker, now_s)
        or _market_bar(intent, instrument, ticker)
        or _holding_bar(intent, state)
    )
    if bar is None:
        return None
    code, reason = bar
    return Refused(
        intent.bot,
        intent.account,
        intent.symbol,
        intent.intent_id,
        Purpose.EXIT,
        code,
        (reason,),
    )


def is_half(intended: Intended) -> bool:
    """Tell whether it is the sale of a group; a hedge names no position, and is an exit."""
    return intended.exit_reason is ExitReason.LEG and bool(intended.position_id)


def _moment_bar(
    intent: ExitIntent,
    state: RiskState,
    limits: Limits,
    ticker: Ticker | None,
    now_s: float,
) -> Bar | None:
    if now_s > intent.valid_until_s:
        return "expired", f"the leg is {now_s - intent.valid_until_s:.1f} s too late"
    halted = state.halts.bar(intent.account, intent.bot, state.seen_ms)
    if halted is not None:
        return halted
    if ticker is None or not ticker.last > 0:
        return "no_price", f"no live price of {intent.symbol}"
    age_s = now_s - ticker.received_s
    if age_s > limits.price_age_s_max:
        return "stale_price", f"the price is {age_s:.1f} s old"
    return None


def _market_bar(
    intent: ExitIntent, instrument: Instrument | None, ticker: Ticker | None
) -> Bar | None:
    if instrument is None or not instrument.is_trading:
        return "not_trading", f"{intent.symbol} is not trading at {intent.exchange}"
    price = ticker.bid if ticker is not None and ticker.bid > 0 else intent.price
    if sellable_base(intent.base, price, instrument) != intent.base:
        return "filters", f"{intent.exchange} sells no {plain(intent.base)} {intent.symbol}"
    return None


def _holding_bar(intent: ExitIntent, state: RiskState) -> Bar | None:
    books, bot, symbol = state.books, intent.bot, intent.symbol
    unknown = books.orders.unknown(bot, symbol)
    if unknown is not None:
        return "unknown_order", f"the outcome of {unknown.client_order_id} is unknown"
    held = books.of(bot, symbol)
    stop = books.orders.resting_stop(bot, symbol)
    left = held.base - books.orders.exiting_base(bot, symbol, besides=stop)
    if not held.is_open or left < intent.base:
        text = f"{bot} has {plain(left)} {symbol} at {intent.exchange}"
        return "no_position", f"{text}: an inventory is needed to sell {plain(intent.base)}"
    return None
