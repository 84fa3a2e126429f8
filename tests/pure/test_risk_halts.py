"""Which halts are due: the day's loss and the hard caps, of facts and prices alone."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.messages import Halted, HaltLifted, Ticker
from actors.pure.caps import DAY_MS, MINUTE_MS, Caps
from actors.pure.risk_halts import cap_halt, intent_halt, loss_halt
from actors.pure.risk_rules import Limits
from actors.pure.risk_state import RiskState
from tests.words import attempted, filled, intended, order_intent, sold, ticker

NOON_MS = 19_676 * DAY_MS + DAY_MS // 2
MIDNIGHT_MS = 19_677 * DAY_MS
FAR_MS = 4_102_444_800_000  # 2100, the last that a codec takes
CAPS = Caps(3, Decimal(1_000), Decimal(2))
LIMITS = Limits(
    capital=Decimal(10_000),
    allocations={"dawn": Decimal(10_000)},
    caps={"dawn": CAPS},
    daily_loss_percent_max=Decimal(5),
)


def see(state: RiskState, price: Ticker) -> None:
    state.see(price, price.exchange_ms)


def told(*facts: object) -> RiskState:
    state = RiskState()
    see(state, ticker("100", exchange_ms=NOON_MS))
    for fact in facts:
        state.apply(fact)
    return state


def losing(quote: int) -> RiskState:
    """Return a state in which `dusk` lost this much at noon and holds nothing."""
    return told(
        filled(
            1, 20_000, bot="dusk", client_order_id="d1", trade_id="d1", trade_ms=NOON_MS
        ),
        sold(1, 20_000 - quote, bot="dusk", trade_ms=NOON_MS),
    )


def trading(*quotes: int, fee: str = "0", asset: str = "USDT") -> RiskState:
    """Return a state in which `dawn` bought for so much."""
    fills = [
        filled(
            quote, 1, trade_id=str(n), trade_ms=NOON_MS, fee=Decimal(fee), fee_asset=asset
        )
        for n, quote in enumerate(quotes)
    ]
    return told(*fills)


def ordering(*at_ms: int) -> RiskState:
    """Return a state in which `dawn` sent orders at these times."""
    facts: list[object] = []
    for n, each in enumerate(at_ms):
        facts += [
            intended(intent_id=f"i{n}"),
            attempted(f"i{n}", f"c{n}", attempt_ms=NOON_MS + each),
        ]
    return told(*facts)


def code_of(halted: Halted | None) -> str:
    return halted.code if halted is not None else ""


def test_the_days_loss_halts_the_account_until_midnight() -> None:
    assert loss_halt(losing(499), LIMITS, "main") is None
    reason = "today's result is -5.00 %, -5 % is the limit"
    halted = Halted("", "main", "daily_loss", reason, MIDNIGHT_MS)
    assert loss_halt(losing(500), LIMITS, "main") == halted


def test_a_halt_that_stands_is_not_due_again_until_its_day_is_over() -> None:
    state = losing(500)
    halted = loss_halt(state, LIMITS, "main")
    state.apply(halted)
    assert loss_halt(state, LIMITS, "main") is None
    assert state.halts.bar("main", "dawn", state.seen_ms) is not None
    see(state, ticker("100", exchange_ms=MIDNIGHT_MS))
    assert state.halts.bar("main", "dawn", state.seen_ms) is None


def test_a_price_from_the_far_future_begins_no_day_that_is_not_there_yet() -> None:
    """Days only go forward: the next ones would never begin."""
    state = losing(500)
    halted = loss_halt(state, LIMITS, "main")
    state.apply(halted)
    state.see(ticker("100", exchange_ms=FAR_MS), now_ms=NOON_MS)
    assert (state.result_today(), state.seen_ms) == (-500, NOON_MS)
    assert state.halts.bar("main", "dawn", state.seen_ms) is not None
    state.see(ticker("100", exchange_ms=FAR_MS), now_ms=MIDNIGHT_MS)
    assert (state.result_today(), state.seen_ms) == (0, MIDNIGHT_MS)


def test_a_price_may_be_told_a_little_ahead_of_our_clock() -> None:
    state = losing(500)
    state.see(ticker("100", exchange_ms=MIDNIGHT_MS), now_ms=MIDNIGHT_MS - 60_000)
    assert (state.result_today(), state.seen_ms) == (0, MIDNIGHT_MS)


def test_an_operator_who_lifts_a_days_loss_forgives_what_was_realized() -> None:
    state = losing(500)
    state.apply(loss_halt(state, LIMITS, "main"))
    state.apply(HaltLifted("", "main", "daily_loss"))
    assert (state.realized_today, loss_halt(state, LIMITS, "main")) == (0, None)


def test_lifting_a_days_loss_takes_no_gain_of_the_day_away() -> None:
    """Without the gain the open loss alone would halt the account again at once."""
    state = losing(-300)
    state.apply(filled(10, 100, trade_ms=NOON_MS))
    see(state, ticker("15", exchange_ms=NOON_MS))
    state.apply(loss_halt(state, LIMITS, "main"))
    see(state, ticker("40", exchange_ms=NOON_MS))
    state.apply(HaltLifted("", "main", "daily_loss"))
    assert (state.result_today(), loss_halt(state, LIMITS, "main")) == (-300, None)


def test_lifting_another_halt_forgives_nothing() -> None:
    state = losing(400)
    state.apply(Halted("", "main", "operator", ""))
    state.apply(HaltLifted("", "main", "operator"))
    assert state.realized_today == -400


def holding_bitcoin_bought_at_100_and_traded_at_90() -> RiskState:
    """Return what a recall finds: `dawn` holds ten, `dusk` traded one days later."""
    dusk = {"bot": "dusk", "client_order_id": "d1", "trade_ms": NOON_MS - 5 * DAY_MS}
    state = RiskState()
    for fact in (
        filled(10, 100, trade_ms=NOON_MS - 9 * DAY_MS),
        filled(1, 90, trade_id="d1", **dusk),
        sold(1, 90, trade_id="d2", **dusk),
    ):
        state.apply(fact)
    return state


def test_the_price_of_an_old_fill_makes_neither_a_loss_nor_a_gain_of_today() -> None:
    state = holding_bitcoin_bought_at_100_and_traded_at_90()
    limits = attrs.evolve(LIMITS, capital=Decimal(1_000))
    see(state, ticker("3000", symbol="ETH/USDT", exchange_ms=NOON_MS))
    assert (state.result_today(), loss_halt(state, limits, "main")) == (0, None)
    see(state, ticker("94", exchange_ms=NOON_MS))
    assert state.result_today() == -60
    assert code_of(loss_halt(state, limits, "main")) == "daily_loss"


def test_an_open_gain_at_the_price_of_an_old_fill_pays_for_no_live_loss() -> None:
    state = RiskState()
    state.apply(filled(1, 100, symbol="ETH/USDT", client_order_id="e1"))
    state.apply(filled(1, 100))
    state.apply(filled(1, 900, bot="dusk", client_order_id="d1", trade_id="d1"))
    see(state, ticker("40", symbol="ETH/USDT"))
    assert state.result_today() == -60


def test_a_fee_in_a_third_asset_is_no_part_of_the_days_loss() -> None:
    fee = {"fee": Decimal(9), "trade_ms": NOON_MS}
    in_bnb = told(
        filled(1, 100, fee_asset="BNB", **fee), sold(1, 100, fee_asset="BNB", **fee)
    )
    assert in_bnb.result_today() == 0
    assert told(filled(1, 100, **fee), sold(1, 100, **fee)).result_today() == -18


def test_exposure_takes_the_last_known_price_until_a_live_one_is_told() -> None:
    state = holding_bitcoin_bought_at_100_and_traded_at_90()
    assert state.exposure_quote() == 900
    see(state, ticker("95"))
    assert state.exposure_quote() == 950


def test_a_fill_that_is_told_late_replaces_no_live_price() -> None:
    state = told(filled(10, 100))
    late = {"bot": "dusk", "client_order_id": "d1"}
    state.apply(filled(1, 50, trade_id="d1", **late))
    state.apply(sold(1, 50, trade_id="d2", **late))
    assert (state.result_today(), state.exposure_quote()) == (0, 1_000)


@pytest.mark.parametrize("price", [400, 1_600])
def test_what_was_earned_or_lost_yesterday_and_is_told_late_is_not_of_today(
    price: int,
) -> None:
    """R-13: a restart after midnight would not count it, either."""
    at = {"bot": "dusk", "trade_ms": MIDNIGHT_MS - 1}
    state = told(filled(1, 1_000, client_order_id="d1", **at))
    see(state, ticker("1000", exchange_ms=MIDNIGHT_MS))
    state.apply(sold(1, price, **at))
    assert (state.result_today(), loss_halt(state, LIMITS, "main")) == (0, None)


@pytest.mark.parametrize(
    ("state", "quote", "code"),
    [
        (trading(), "1000", ""),
        (trading(), "1000.01", "daily_turnover"),
        (trading(600, 400), "0", ""),
        (trading(600, 400), "1", "daily_turnover"),
        (trading(10, fee="1.99"), "1", ""),
        (trading(10, fee="2"), "1", "daily_fees"),
        (trading(10, 10, fee="1"), "1", "daily_fees"),
        (trading(10, fee="2", asset="BTC"), "1", "daily_fees"),  # at 1 USDT each
        (trading(10, fee="50", asset="BNB"), "1", ""),
        (ordering(-3, -2), "1", ""),
        (ordering(-3, -2, -1), "1", "orders_per_minute"),
        (ordering(-MINUTE_MS, -2, -1), "1", ""),
    ],
)
def test_each_hard_cap_halts_its_bot(state: RiskState, quote: str, code: str) -> None:
    """R-46."""
    halted = cap_halt(state, LIMITS, "main", "dawn", Decimal(quote))
    assert code_of(halted) == code
    assert halted is None or (halted.bot, halted.account) == ("dawn", "main")
    assert cap_halt(state, LIMITS, "main", "dusk", Decimal(10**6)) is None


@pytest.mark.parametrize(
    ("state", "until_ms"),
    [(ordering(-4, -3, -2, -1), 0), (trading(2_000), MIDNIGHT_MS)],
)
def test_who_orders_too_often_waits_for_a_person_and_who_trades_too_much_for_midnight(
    state: RiskState, until_ms: int
) -> None:
    halted = cap_halt(state, LIMITS, "main", "dawn")
    assert halted is not None
    assert halted.until_ms == until_ms


@pytest.mark.parametrize(
    "state", [ordering(-4, -3, -2, -1), trading(2_000), trading(9, fee="9")]
)
def test_what_an_operator_lifts_is_counted_anew(state: RiskState) -> None:
    halted = cap_halt(state, LIMITS, "main", "dawn")
    assert halted is not None
    state.apply(halted)
    state.apply(HaltLifted("dawn", "main", halted.code))
    assert cap_halt(state, LIMITS, "main", "dawn") is None


def test_as_many_orders_as_are_allowed_within_a_minute_halt_nobody() -> None:
    """Another one does: one that is wished for, or an exit that has left."""
    state = ordering(-3, -2, -1)
    assert cap_halt(state, LIMITS, "main", "dawn") is None
    more = order_intent(symbol="ETH/USDT")
    assert code_of(intent_halt(state, LIMITS, more, None)) == "orders_per_minute"


def test_a_new_day_is_a_new_count() -> None:
    state = trading(1_000, fee="3")
    see(state, ticker("1", exchange_ms=MIDNIGHT_MS))
    assert cap_halt(state, LIMITS, "main", "dawn", Decimal(1_000)) is None


def test_a_fill_told_twice_counts_once() -> None:
    """R-11."""
    bought = (intended(base=Decimal(900)), attempted(), filled(900, 1, trade_ms=NOON_MS))
    state = told(*bought, bought[-1])
    assert cap_halt(state, LIMITS, "main", "dawn", Decimal(100)) is None


@given(quotes=st.lists(st.integers(1, 600), max_size=9), at=st.integers(0, 9))
def test_a_restart_counts_what_the_life_before_had_counted(
    quotes: list[int], at: int
) -> None:
    """R-46: the counts are a fold of the ledger."""
    state = trading(*quotes)
    want = Decimal(100 * at)
    due = cap_halt(state, LIMITS, "main", "dawn", want)
    assert (due is not None) == (sum(quotes) + want > 1_000)


def test_an_intent_is_judged_with_what_it_would_cost() -> None:
    state, now = trading(600), ticker("50000", exchange_ms=NOON_MS)
    dear, cheap = order_intent(), order_intent(base=Decimal("0.008"))
    assert code_of(intent_halt(state, LIMITS, dear, now)) == "daily_turnover"
    assert code_of(intent_halt(state, LIMITS, cheap, now)) == ""
    assert code_of(intent_halt(state, LIMITS, dear, None)) == ""
    broken = attrs.evolve(now, last=Decimal("NaN"))
    assert code_of(intent_halt(state, LIMITS, dear, broken)) == ""
