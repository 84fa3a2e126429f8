"""Judge an entry once more just before its attempt, of facts alone. Pure.

What `risk` has promised dies with it, so `orders` asks again what the facts can answer.
Exposure is taken at cost here, since only `risk` has live prices; prices move between the
two judgements, hence the slack.
"""

from __future__ import annotations

import attrs

from actors.messages import OrderIntent
from actors.pure.caps import NO_CAPS
from actors.pure.money import above, percent_of
from actors.pure.order_filters import Broken
from actors.pure.order_gate import Gate
from actors.pure.risk_rules import Limits, capital_of, positions_of
from actors.pure.risk_state import RiskState


def recheck(limits: Limits, intent: OrderIntent, gate: Gate, now_ms: int) -> Broken:
    """Return the code and the reason of a limit that the entry would break, or None.

    A hard cap is refused here and made a halt by `risk`, who hears of the same facts.
    """
    books, quote = gate.books, intent.base * (intent.limit_price or intent.price)
    if limits.order_quote_max is not None and quote > limits.order_quote_max:
        return "order_quote_max", f"order of {quote:.2f}, {limits.order_quote_max} allowed"
    caps = limits.caps.get(intent.bot, NO_CAPS)
    breach = gate.bars.usage.breach(intent.bot, caps, quote, now_ms)
    if breach is not None:
        return breach.code, breach.reason
    most = percent_of(limits.capital, limits.exposure_percent_max)
    exposed = books.holdings.cost_quote + books.orders.reserved_quote + quote
    if exposed > above(most, limits.slack_percent):
        return "exposure_percent_max", f"{exposed:.2f} exposed, {most:.2f} allowed"
    state = RiskState(books=books)
    allocated = limits.allocations.get(intent.bot)
    if allocated is not None:
        loose = {intent.bot: above(allocated, limits.slack_percent)}
        limits = attrs.evolve(limits, allocations=loose)
    return positions_of(intent, state, limits) or capital_of(intent, state, limits, quote)
