"""One bot's desk with a scripted strategy, and what it answers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs

from actors.messages import Outcome, Signal
from actors.pure.bot_desk import BotDesk, Decision
from actors.pure.bot_wishes import BotSettings
from actors.pure.client_order_id import IntentIds
from actors.pure.market_view import MarketView
from tests.words import BTC, HOLD, SYMBOL, filled

SETTINGS = BotSettings(
    name="dawn",
    account="main",
    exchange="binance",
    symbol=SYMBOL,
    strategy="scripted",
    capital=Decimal(10_000),
    position_percent=Decimal(10),
    evaluate_s="tick",
)
FILL = filled("0.02", 50_000)


@attrs.define
class Scripted:
    """A strategy that says what the test wants and keeps what it was shown."""

    says: Any = HOLD
    candles_min: int = 0
    views: list[MarketView] = attrs.Factory(list[MarketView])

    def evaluate(self, view: MarketView) -> Signal:
        self.views.append(view)
        return self.says


def desk(strategy: Scripted | None = None, **changes: Any) -> BotDesk:
    settings = attrs.evolve(SETTINGS, **changes)
    ids = IntentIds("e", "r", "dawn", 1)
    instruments = {BTC.symbol: BTC}
    return BotDesk(settings, instruments, strategy or Scripted(), ids, due_s=60.0)


def done(decision: Decision | None) -> Decision:
    assert decision is not None
    return decision


def outcome(decision: Decision | None) -> tuple[Outcome, str]:
    shown = done(decision).shown
    return shown.outcome, shown.code
