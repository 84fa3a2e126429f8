"""What people see of an arbitrage: its last evaluation, and an alarm while it is halted.

[bot] --Evaluated, Alarmed (latest)--> board
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from actors.mailbox import Mailbox
from actors.messages import Alarmed, Evaluated, Outcome
from actors.pure.arbitrage import ArbitrageSettings, Market
from actors.pure.leg_wishes import shown
from actors.pure.money import ZERO


@attrs.define(eq=False)
class Shown:
    """The last thing shown in one life."""

    actor: str
    board: Mailbox[Any]
    settings: ArbitrageSettings
    number: int = 0  # evaluations of this life
    last: Evaluated | None = None
    is_alarmed: bool = True  # perhaps by a life before
    _markets: Mapping[str, Market] = attrs.Factory(dict[str, Market])

    def begin(self, markets: Mapping[str, Market]) -> None:
        """Begin an evaluation at these prices."""
        self.number += 1
        self._markets = markets

    def show(
        self, outcome: Outcome, code: str, reasons: tuple[str, ...], now_s: float
    ) -> Evaluated:
        """Show the outcome of the evaluation; return it with its repetitions counted."""
        last, leg = self.last, self.settings.legs[0]
        is_same = last is not None and (last.outcome, last.code) == (outcome, code)
        repeated = last.repeated + 1 if last is not None and is_same else 0
        market = self._markets.get(leg.exchange)
        ticker = market.ticker if market is not None else None
        price = ticker.last if ticker is not None else ZERO
        self.last = shown(leg, self.number, outcome, code, reasons, price, now_s, repeated)
        self.board.latest((Evaluated, leg.bot), self.last)
        return self.last

    def alarm(self, text: str, *, is_over: bool) -> None:
        """Raise the alarm of this arbitrage, or take it back."""
        self.is_alarmed = not is_over
        name = self.settings.name
        alarm = Alarmed(self.actor, "legs", name, text, is_over=is_over)
        self.board.latest((Alarmed, self.actor, "legs", name), alarm)
