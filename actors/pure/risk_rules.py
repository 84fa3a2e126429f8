"""Judge an order intent at the live price against an account's limits. Pure.

Every broken rule is a reason; the first one, in the order of `RULES`, gives the code. The
rules know entries only: exits never pass through here (I-12).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import attrs

from actors.messages import (
    Approved,
    Instrument,
    OrderIntent,
    Purpose,
    Refused,
    RiskAnswer,
    Side,
    Ticker,
)
from actors.pure.caps import Caps
from actors.pure.money import HUNDRED, ZERO, as_percent, percent_of
from actors.pure.order_filters import Broken, broken_filter
from actors.pure.position_math import sellable_base
from actors.pure.risk_state import RiskState


@attrs.frozen
class Limits:
    """The most one account may risk. None is no limit."""

    capital: Decimal  # quote, of the whole account
    allocations: Mapping[str, Decimal]  # quote, by bot
    caps: Mapping[str, Caps] = attrs.Factory(dict[str, Caps])  # by bot
    exposure_percent_max: Decimal = HUNDRED
    daily_loss_percent_max: Decimal | None = None
    positions_max: int | None = None
    order_quote_max: Decimal | None = None
    price_age_s_max: float = 10.0
    slack_percent: Decimal = Decimal("0.5")  # a move this small does not refuse an order
    exposure_percent_warned: Decimal = Decimal(80)
    spread_percent_warned: Decimal = Decimal("0.5")


@attrs.frozen
class Case:
    """All that is known of one intent when it is judged."""

    intent: OrderIntent
    state: RiskState
    limits: Limits
    instrument: Instrument
    ticker: Ticker
    now_s: float
    quote: Decimal  # what the order would cost
    exposure: Decimal  # percent of the account's capital, before the order

    @property
    def exposure_after(self) -> Decimal:
        return self.exposure + as_percent(self.quote, self.limits.capital)


def judge(
    intent: OrderIntent,
    state: RiskState,
    limits: Limits,
    instrument: Instrument | None,
    ticker: Ticker | None,
    now_s: float,
) -> Approved | Refused:
    """Return the intent approved, or refused with every rule it breaks."""
    if now_s > intent.valid_until_s:
        late = f"the intent is {now_s - intent.valid_until_s:.1f} s too late"
        return _refused(intent, limits, [("expired", late)], (), ZERO)
    if instrument is None:
        text = f"{intent.exchange} does not list {intent.symbol}"
        return _refused(intent, limits, [("not_trading", text)], (), ZERO)
    if ticker is None or not _is_positive(ticker.last):
        text = f"no live price of {intent.symbol}"
        return _refused(intent, limits, [("no_price", text)], (), ZERO)
    if not _is_positive(intent.base):
        text = f"quantity {intent.base} is not a positive number"
        return _refused(intent, limits, [("invalid_quantity", text)], (), ZERO)
    quote = order_quote(intent, limits, ticker)
    exposure = as_percent(state.exposure_quote(), limits.capital)
    case = Case(intent, state, limits, instrument, ticker, now_s, quote, exposure)
    broken = [found for rule in RULES if (found := rule(case)) is not None]
    if broken:
        return _refused(intent, limits, broken, _warnings(case), case.exposure)
    most = limits.exposure_percent_max
    return Approved(intent, RiskAnswer(True, (), _warnings(case), exposure, most))


def _is_positive(number: Decimal) -> bool:
    return number.is_finite() and number > 0


def order_quote(intent: OrderIntent, limits: Limits, ticker: Ticker) -> Decimal:
    """Return what the order would cost, as the rules count it."""
    return intent.base * _price_of(intent, limits, ticker)


def _price_of(intent: OrderIntent, limits: Limits, ticker: Ticker) -> Decimal:
    """Return the live price, or the bot's where the market has hardly moved since.

    A bot that spends its whole capital must not be refused for one tick in between.
    """
    if intent.limit_price is not None:
        return intent.limit_price
    has_moved = abs(ticker.last - intent.price) > percent_of(
        intent.price, limits.slack_percent
    )
    return ticker.last if has_moved else intent.price


def _halted(case: Case) -> Broken:
    intent, state = case.intent, case.state
    return state.halts.bar(intent.account, intent.bot, state.seen_ms)


def _sides(case: Case) -> Broken:
    if case.intent.side is Side.BUY:
        return None
    if not case.state.books.of(case.intent.bot, case.intent.symbol).is_open:
        return "no_position", "nothing to sell: a sale closes a position"
    return "invalid_side", "a sale is an exit, and exits do not pass the risk check"


def _stale(case: Case) -> Broken:
    """Age of the live price, and of the one the signal was made of (R-20)."""
    age_s = case.now_s - min(case.ticker.received_s, case.intent.price_s)
    if age_s <= case.limits.price_age_s_max:
        return None
    limit = f"{case.limits.price_age_s_max:g}"
    return "stale_price", f"the price is {age_s:.1f} s old, the limit is {limit} s"


def _trading(case: Case) -> Broken:
    if case.instrument.is_trading:
        return None
    return "not_trading", f"{case.intent.symbol} is not trading at the exchange"


def _unknown_order(case: Case) -> Broken:
    order = case.state.books.orders.unknown(case.intent.bot, case.intent.symbol)
    if order is None:
        return None
    return "unknown_order", f"the outcome of {order.client_order_id} is unknown (R-02)"


def _open_entry(case: Case) -> Broken:
    intent, state = case.intent, case.state
    order = state.books.orders.live_entry(intent.bot, intent.symbol)
    if order is not None:
        return "open_entry", f"{order.client_order_id} is {order.status.value}"
    if state.promised_to(intent.bot, intent.symbol):
        return "open_entry", "an entry was approved a moment ago"
    return None


def _positions(case: Case) -> Broken:
    return positions_of(case.intent, case.state, case.limits)


def positions_of(intent: OrderIntent, state: RiskState, limits: Limits) -> Broken:
    """Refuse a position too many."""
    most = limits.positions_max
    if most is None:
        return None
    others = state.positions(without=(intent.bot, intent.symbol))
    return (
        ("positions_max", f"{others} positions, {most} allowed") if others >= most else None
    )


def _order_quote(case: Case) -> Broken:
    most = case.limits.order_quote_max
    if most is None or case.quote <= most:
        return None
    return "order_quote_max", f"order of {case.quote:.2f}, {most} allowed"


def _capital(case: Case) -> Broken:
    return capital_of(case.intent, case.state, case.limits, case.quote)


def capital_of(
    intent: OrderIntent, state: RiskState, limits: Limits, quote: Decimal
) -> Broken:
    """Refuse more than the bot's own capital."""
    allocated = limits.allocations.get(intent.bot)
    if allocated is None:
        return "capital", f"bot {intent.bot} has no capital on this account"
    used = (
        state.books.holdings.cost_to(intent.bot)
        + state.books.orders.reserved_by(intent.bot)
        + state.promised_to(intent.bot, intent.symbol)
    )
    if used + quote <= allocated:
        return None
    return "capital", f"{used:.2f} used, {quote:.2f} more, {allocated} allocated"


def _exposure(case: Case) -> Broken:
    most = case.limits.exposure_percent_max
    if case.exposure_after <= most:
        return None
    return "exposure_percent_max", f"{case.exposure_after:.1f} % exposed, {most} % allowed"


def _filters(case: Case) -> Broken:
    return broken_filter(case.intent, case.quote, case.instrument)


RULES = (
    _halted,
    _sides,
    _stale,
    _trading,
    _unknown_order,
    _open_entry,
    _positions,
    _order_quote,
    _capital,
    _exposure,
    _filters,
)


def _warnings(case: Case) -> tuple[str, ...]:
    intent, limits, ticker = case.intent, case.limits, case.ticker
    warnings: list[str] = []
    if case.exposure_after > limits.exposure_percent_warned:
        warnings.append(f"exposure would be {case.exposure_after:.1f} %")
    if ticker.bid > 0 and ticker.ask > 0:
        spread = as_percent(ticker.ask - ticker.bid, ticker.bid)
        if spread > limits.spread_percent_warned:
            warnings.append(f"the spread is {spread:.2f} %")
    moved = as_percent(ticker.last - intent.price, intent.price)
    if abs(moved) > limits.slack_percent:
        warnings.append(f"the price moved by {moved:+.2f} % since the signal")
    if not sellable_base(intent.base, ticker.last, case.instrument):
        warnings.append("too small to be sold again at this price")
    return tuple(warnings)


def _refused(
    intent: OrderIntent,
    limits: Limits,
    broken: list[tuple[str, str]],
    warnings: tuple[str, ...],
    exposure: Decimal,
) -> Refused:
    return Refused(
        bot=intent.bot,
        account=intent.account,
        symbol=intent.symbol,
        intent_id=intent.intent_id,
        purpose=Purpose.ENTRY,
        code=broken[0][0],
        reasons=tuple(reason for _, reason in broken),
        warnings=warnings,
        current_exposure=exposure,
        exposure_max=limits.exposure_percent_max,
    )
