"""Say which halts are due: the day's loss of the account, the hard caps of its bots. Pure.

A halt that is due becomes a fact before anything else is done about it (R-37); from then on
nobody asks here again. What is judged here is judged of facts and prices alone (R-46).
"""

from __future__ import annotations

from decimal import Decimal

from actors.messages import Halted, OrderIntent, Ticker
from actors.pure.caps import DAY_MS, NO_CAPS
from actors.pure.money import ZERO, as_percent
from actors.pure.risk_rules import Limits, order_quote
from actors.pure.risk_state import DAILY_LOSS, RiskState


def loss_halt(state: RiskState, limits: Limits, account: str) -> Halted | None:
    """Return the halt of an account that has lost its limit today, unless it stands."""
    limit = limits.daily_loss_percent_max
    if limit is None or _stands(state, account, "", DAILY_LOSS):
        return None
    result = as_percent(state.result_today(), limits.capital)
    if result > -limit:
        return None
    reason = f"today's result is {result:.2f} %, {-limit:f} % is the limit"
    return Halted("", account, DAILY_LOSS, reason, (state.day + 1) * DAY_MS)


def cap_halt(
    state: RiskState,
    limits: Limits,
    account: str,
    bot: str,
    quote: Decimal | None = None,
) -> Halted | None:
    """Return the halt of a bot that is over a cap, or would be with an entry of `quote`."""
    caps = limits.caps.get(bot, NO_CAPS)
    found = state.usage.breach(bot, caps, quote, state.seen_ms)
    if found is None or _stands(state, account, bot, found.code):
        return None
    return Halted(bot, account, found.code, found.reason, found.until_ms)


def intent_halt(
    state: RiskState, limits: Limits, intent: OrderIntent, ticker: Ticker | None
) -> Halted | None:
    """Return the halt that is due before this intent may be judged."""
    account, quote = intent.account, ZERO
    if ticker is not None and ticker.last.is_finite() and intent.base.is_finite():
        quote = order_quote(intent, limits, ticker)
    return loss_halt(state, limits, account) or cap_halt(
        state, limits, account, intent.bot, quote
    )


def _stands(state: RiskState, account: str, bot: str, code: str) -> bool:
    return any(
        halted.code == code for halted in state.halts.of(account, bot, state.seen_ms)
    )
