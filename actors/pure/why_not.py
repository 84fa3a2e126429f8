"""Keep the ledger of why a bot did or did not trade: changes, counts of repeats. Pure."""

from __future__ import annotations

from decimal import Decimal

import attrs

from actors.messages import (
    Evaluated,
    Fact,
    Outcome,
    Purpose,
    Refused,
    Signal,
    SignalGenerated,
    SignalType,
    Ticker,
)
from actors.pure.bot_wishes import BotSettings
from actors.pure.signals import gist


@attrs.define(eq=False)
class WhyNot:
    """The last outcome shown and the last signal recorded, of one life of one bot."""

    settings: BotSettings
    number: int = 0  # evaluations so far
    last: Evaluated | None = None
    _signal: Signal | None = None
    _said_again: int = 0

    def show(
        self,
        outcome: Outcome,
        signal: Signal | None,
        price: Decimal,
        now_s: float,
        *,
        code: str = "",
        reasons: tuple[str, ...] = (),
        order_id: str = "",
    ) -> Evaluated:
        """Return the outcome of the current evaluation, as the board is shown it."""
        last, settings = self.last, self.settings
        repeated = 0
        if last is not None and last.outcome is outcome and last.code == code:
            repeated = last.repeated + 1
        self.last = Evaluated(
            settings.name,
            settings.account,
            settings.symbol,
            self.number,
            outcome,
            signal,
            order_id,
            code,
            reasons,
            price,
            now_s,
            repeated,
        )
        return self.last

    def signalled(self, signal: Signal, ticker: Ticker, now_s: float) -> tuple[Fact, ...]:
        """Return the fact of a signal, unless it is the one before said again."""
        last = self._signal
        if last is not None and last.type is signal.type and gist(last) == gist(signal):
            self._said_again += 1
            return ()
        repeated, self._said_again, self._signal = self._said_again, 0, signal
        name, age_ms = self.settings.name, int((now_s - ticker.received_s) * 1000)
        return (
            SignalGenerated(name, ticker.symbol, signal, ticker.last, age_ms, repeated),
        )

    def refused(self, shown: Evaluated, intent_id: str) -> Refused:
        """Return the fact of an outcome that the bot itself refused."""
        is_sale = shown.signal is not None and shown.signal.type is SignalType.SELL
        return Refused(
            shown.bot,
            shown.account,
            shown.symbol,
            intent_id,
            Purpose.EXIT if is_sale else Purpose.ENTRY,
            shown.code,
            shown.reasons,
        )
