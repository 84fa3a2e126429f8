"""The day's result: a restart folds the same facts to what the life before had."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from actors.messages import ExitReason, Fact, HaltLifted, PositionClosed
from actors.pure.caps import DAY_MS
from actors.pure.risk_state import DAILY_LOSS, RiskState
from tests.words import SYMBOL, filled, sold, ticker

MIDNIGHT_MS = 19_677 * DAY_MS
ZERO = Decimal(0)
ACTS = st.lists(
    st.tuples(
        st.sampled_from(["buy", "sell", "sell", "see", "lift", "close"]),
        st.sampled_from([90, 100, 130]),
        st.booleans(),
    ),
    max_size=10,
)


def made(state: RiskState, act: str, price: int, at_ms: int, number: int) -> Fact | None:
    """Return what is recorded, or None where it makes no sense now."""
    held = state.books.of("dawn", SYMBOL)
    if act == "buy":
        return filled(
            1, price, client_order_id=f"c{number}", trade_id=f"t{number}", trade_ms=at_ms
        )
    if act == "sell" and held.base > 0:
        base = min(held.base, Decimal("0.95"))
        return sold(base, price, trade_id=f"t{number}", trade_ms=at_ms)
    if act == "close" and held.is_open and held.base < Decimal("0.5"):
        reason, dust = ExitReason.SIGNAL, held.base
        return PositionClosed(
            "dawn", "main", SYMBOL, held.position_id, reason, ZERO, ZERO, dust, ""
        )
    return HaltLifted("", "main", DAILY_LOSS) if act == "lift" else None


@given(yesterday=ACTS, today=ACTS)
def test_a_restart_knows_the_days_result_that_the_life_before_had(
    yesterday: list[tuple[str, int, bool]], today: list[tuple[str, int, bool]]
) -> None:
    """R-13: prices, which begin a day, are not in the ledger; fills may be told late."""
    lives, recalls, ledger = RiskState(), RiskState(), list[Fact]()
    for acts, now_ms in ((yesterday, MIDNIGHT_MS - 1_000), (today, MIDNIGHT_MS + 1_000)):
        lives.see(ticker(100, exchange_ms=now_ms), now_ms)
        for act, price, is_late in acts:
            if act == "see":
                lives.see(ticker(price, exchange_ms=now_ms), now_ms)
            at_ms = MIDNIGHT_MS - 2_000 if is_late else now_ms
            if fact := made(lives, act, price, at_ms, len(ledger)):
                lives.apply(fact)
                ledger.append(fact)
    for fact in ledger:
        recalls.apply(fact)
    for state in (lives, recalls):
        state.see(ticker(100, exchange_ms=MIDNIGHT_MS + 1_000), MIDNIGHT_MS + 1_000)
    assert recalls.result_today() == lives.result_today()
