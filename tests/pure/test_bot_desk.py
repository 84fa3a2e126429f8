"""What one bot decides, message by message."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest

from actors.messages import (
    BookSnapshot,
    BotPaused,
    BotResumed,
    Candles,
    ExitIntent,
    FeedState,
    Link,
    OrderIntent,
    OrderStatus,
    OrderType,
    Outcome,
    OutcomeUnknown,
    Pair,
    PriceUpdated,
    Purpose,
    Refused,
    Signal,
    SignalGenerated,
    SignalType,
    Source,
    Ticker,
)
from actors.pure.market_view import Cause
from actors.pure.signals import BadSignal
from tests.pure.desks import FILL, Scripted, desk, done, outcome
from tests.words import (
    BUY,
    HOLD,
    SELL,
    SYMBOL,
    attempted,
    candle,
    ended,
    exit_intended,
    intended,
    sold,
    ticker,
)

ETH = "ETH/USDT"
AT_KRAKEN = Pair("kraken", SYMBOL)
READS = (Pair("binance", ETH), AT_KRAKEN)


def elsewhere(price: str, received_s: float = 0.0, pair: Pair = AT_KRAKEN) -> Ticker:
    return ticker(price, received_s, exchange=pair.exchange, symbol=pair.symbol)


def test_a_hold_ends_in_a_hold_with_reasons() -> None:
    decision = done(desk().price(ticker("50000"), 0.0))
    assert outcome(decision) == (Outcome.HOLD, "")
    assert (decision.shown.reasons, decision.wish) == (("nothing to do",), None)


def test_a_buy_becomes_an_intent_at_the_live_price() -> None:
    decision = done(desk(Scripted(BUY)).price(ticker("64321", 4.0), 5.0))
    wish = decision.wish
    assert isinstance(wish, OrderIntent)
    assert (wish.intent_id, wish.base, wish.price) == (
        "e/r/dawn/1/1",
        Decimal("0.01554"),
        64321,
    )
    assert (wish.price_s, wish.valid_until_s, wish.notes) == (
        4.0,
        7.0,
        "Bot: dawn | Signal: BUY",
    )
    assert outcome(decision) == (Outcome.SENT, "")


def test_a_limit_buy_is_below_the_market_on_a_tick() -> None:
    limit = desk(Scripted(BUY), order=OrderType.LIMIT, limit_offset_percent=Decimal("0.1"))
    wish = done(limit.price(ticker("64321.23"), 0.0)).wish
    assert isinstance(wish, OrderIntent)
    assert (wish.limit_price, wish.stop_price) == (Decimal("64256.90"), None)


def test_a_stop_buy_triggers_above_the_market() -> None:
    stop = desk(Scripted(BUY), order=OrderType.STOP_LOSS_LIMIT)
    wish = done(stop.price(ticker("50000"), 0.0)).wish
    assert isinstance(wish, OrderIntent)
    assert (wish.stop_price, wish.limit_price) == (Decimal(50_050), Decimal("50100.05"))


@pytest.mark.parametrize(
    ("offset", "ask", "limit"),
    [("0", "50000.01", "50000"), ("0", "49999.5", "49999.49"), ("1", "50001", "49500")],
)
def test_a_post_only_buy_stays_below_the_ask(offset: str, ask: str, limit: str) -> None:
    maker = desk(
        Scripted(BUY), order=OrderType.LIMIT_MAKER, limit_offset_percent=Decimal(offset)
    )
    wish = done(maker.price(ticker("50000", ask=Decimal(ask)), 0.0)).wish
    assert isinstance(wish, OrderIntent)
    assert (wish.limit_price, wish.stop_price) == (Decimal(limit), None)


def test_a_take_profit_buy_triggers_below_the_market() -> None:
    dip = desk(Scripted(BUY), order=OrderType.TAKE_PROFIT_LIMIT)
    wish = done(dip.price(ticker("50000"), 0.0)).wish
    assert isinstance(wish, OrderIntent)
    assert (wish.stop_price, wish.limit_price) == (Decimal(49_950), Decimal("49999.95"))


def test_the_attempt_is_the_outcome_of_what_was_sent() -> None:
    bot = desk(Scripted(BUY))
    intent_id = done(done(bot.price(ticker("50000"), 0.0))).shown.reasons[0]
    assert bot.fact(intended(intent_id=intent_id), 0.1) is None
    shown = done(bot.fact(attempted(intent_id, "c7"), 0.2)).shown
    assert (shown.outcome, shown.order_id, shown.number) == (Outcome.ORDERED, "c7", 1)


def test_a_refusal_is_the_outcome_of_what_was_sent_and_is_waited_out() -> None:
    bot = desk(Scripted(BUY), refused_wait_s=1.0)
    intent_id = done(bot.price(ticker("50000"), 0.0)).shown.reasons[0]
    no = Refused(
        "dawn", "main", SYMBOL, intent_id, Purpose.ENTRY, "capital", ("none left",)
    )
    assert outcome(bot.fact(no, 0.1)) == (Outcome.REFUSED, "capital")
    again = done(bot.price(ticker("50001"), 0.5))
    assert (outcome(again), again.wish, again.facts) == (
        (Outcome.REFUSED, "capital"),
        None,
        (),
    )
    assert done(bot.price(ticker("50002"), 1.2)).wish is not None


def test_what_is_waited_out_is_the_refusal_and_not_what_came_after_it() -> None:
    bot = desk(strategy := Scripted(BUY), refused_wait_s=1.0)
    intent_id = done(bot.price(ticker("50000"), 0.0)).shown.reasons[0]
    no = Refused(
        "dawn", "main", SYMBOL, intent_id, Purpose.ENTRY, "capital", ("none left",)
    )
    bot.fact(no, 0.1)
    strategy.says = HOLD
    bot.price(ticker("50001"), 0.3)
    strategy.says = BUY
    again = done(bot.price(ticker("50002"), 0.5)).shown
    assert (again.code, again.reasons) == ("capital", ("none left",))


def test_a_resting_stop_neither_bars_an_exit_nor_is_work_to_wait_for() -> None:
    bot = desk(strategy := Scripted(SELL))
    stop = exit_intended(stop_price=Decimal(49_000), limit_price=Decimal(48_755))
    for fact in (intended(), attempted(), FILL, ended(OrderStatus.FILLED, "0.02"), stop):
        bot.sight.remember(fact)
    bot.sight.remember(attempted("x1", "cx1"))
    strategy.says = HOLD
    assert done(bot.price(ticker("50000"), 0.0)).shown.reasons == ("nothing to do",)
    strategy.says = SELL
    assert isinstance(done(bot.price(ticker("50001"), 0.5)).wish, ExitIntent)


def test_a_stop_that_is_being_executed_bars_an_exit() -> None:
    bot = desk(Scripted(SELL))
    stop = exit_intended(stop_price=Decimal(49_000), limit_price=Decimal(48_755))
    part = sold("0.01", 49_000)
    for fact in (intended(), attempted(), FILL, stop, attempted("x1", "cx1"), part):
        bot.sight.remember(fact)
    assert outcome(bot.price(ticker("48900"), 0.0)) == (Outcome.REFUSED, "exit_in_flight")


def test_one_intent_at_a_time_until_it_can_no_longer_be_answered() -> None:
    bot = desk(Scripted(BUY))
    bot.price(ticker("50000"), 0.0)
    assert outcome(bot.price(ticker("50001", 1.0), 1.0)) == (
        Outcome.REFUSED,
        "order_in_flight",
    )
    assert outcome(bot.price(ticker("50002", 13.0), 13.0)) == (Outcome.SENT, "")


def test_an_order_at_work_is_said_with_a_hold_and_bars_a_buy() -> None:
    strategy = Scripted()
    bot = desk(strategy)
    for fact in (intended(), attempted()):
        bot.fact(fact, 0.0)
    shown = done(bot.price(ticker("50000"), 0.0)).shown
    assert shown.reasons == ("nothing to do", "order c1 is new")
    strategy.says = BUY
    assert outcome(bot.price(ticker("50000"), 0.0)) == (Outcome.REFUSED, "open_entry")


def test_an_unknown_outcome_bars_a_buy() -> None:
    bot = desk(Scripted(BUY))
    lost = OutcomeUnknown("dawn", "main", SYMBOL, "c1", "EOF")
    for fact in (intended(), attempted(), lost):
        bot.fact(fact, 0.0)
    assert outcome(bot.price(ticker("50000"), 0.0)) == (Outcome.REFUSED, "unknown_order")


def test_a_sale_without_a_position_is_refused() -> None:
    decision = done(desk(Scripted(SELL)).price(ticker("50000"), 0.0))
    assert outcome(decision) == (Outcome.REFUSED, "no_position")
    assert [type(fact) for fact in decision.facts] == [SignalGenerated, Refused]


def test_a_sale_is_an_exit_of_all_that_is_held() -> None:
    bot = desk(Scripted(SELL))
    for fact in (intended(base=Decimal("0.02")), attempted(), FILL):
        bot.fact(fact, 0.0)
    wish = done(bot.price(ticker("51000"), 0.0)).wish
    assert isinstance(wish, ExitIntent)
    assert (wish.base, wish.position_id, wish.price) == (Decimal("0.02"), "c1", 51_000)


def test_the_strategy_sees_the_position() -> None:
    strategy = Scripted()
    bot = desk(strategy)
    for fact in (intended(base=Decimal("0.02")), attempted(), FILL):
        bot.fact(fact, 0.0)
    bot.price(ticker("51000"), 0.0)
    held = strategy.views[0].position
    assert held is not None
    assert (held.entry, held.base, held.unrealized) == (50_000, Decimal("0.02"), 20)


def test_a_paused_bot_asks_nobody() -> None:
    strategy = Scripted(BUY)
    bot = desk(strategy)
    bot.fact(BotPaused("dawn", "main", "lunch"), 0.0)
    assert outcome(bot.price(ticker("50000"), 0.0)) == (Outcome.REFUSED, "paused")
    assert strategy.views == []
    bot.fact(BotResumed("dawn", "main"), 0.0)
    assert outcome(bot.price(ticker("50000"), 0.0)) == (Outcome.SENT, "")


def test_a_gap_is_said_once_and_ends_with_a_price_after_it() -> None:
    strategy = Scripted(BUY)
    bot = desk(strategy)
    gap = FeedState("binance", Link.GAP, 0.0, reason="connection lost")
    shown = bot.feed_state(gap, 0.0)
    assert outcome(shown) == (Outcome.REFUSED, "no_price")
    assert done(shown).shown.reasons == ("binance has no prices: connection lost",)
    late = done(bot.price(ticker("50000", source=Source.REST), 1.0))
    assert (outcome(late), late.facts, strategy.views) == (
        (Outcome.REFUSED, "no_price"),
        (),
        [],
    )
    bot.feed_state(FeedState("binance", Link.RESUMED, 2.0), 2.0)
    assert outcome(bot.price(ticker("50000", 2.0), 2.0)) == (Outcome.SENT, "")


def test_a_price_from_before_the_gap_is_not_judged_after_it() -> None:
    bot = desk(evaluate_s=60.0)
    bot.price(ticker("50000"), 0.0)
    for link in (Link.GAP, Link.RESUMED):
        bot.feed_state(FeedState("binance", link, 1.0), 1.0)
    assert outcome(bot.evaluate(Cause.TIMER, 2.0)) == (Outcome.REFUSED, "no_price")


def test_candles_that_the_feed_has_lost_are_not_shown() -> None:
    """R-20: the outage took an hour, and REST has not told yet what it was."""
    strategy = Scripted()
    bot, window = desk(strategy, reads=READS), (candle(1, "50000"),)
    for known in (window, ()):
        bot.candles(Candles("binance", SYMBOL, "1m", (), known), 0.0)
        bot.candles(Candles("binance", ETH, "1m", (), known), 0.0)
    bot.price(ticker("48000", 3600.0), 3600.0)
    view = strategy.views[-1]
    assert (view.window, view.other("binance:ETH/USDT").window) == ((), ())


def test_a_candle_that_was_lost_before_it_was_taken_asks_for_no_evaluation() -> None:
    strategy = Scripted()
    bot = desk(strategy, evaluate_s="candle")
    bot.price(ticker(100, 1.0), 1.0)
    bot.candles(Candles("binance", SYMBOL, "1m", (candle(1, 100),), ()), 1.0)
    assert strategy.views == []


@pytest.mark.parametrize(
    ("changes", "now_s", "code"),
    [
        ({"last": Decimal(0)}, 0.0, "no_price"),
        ({"source": Source.REST}, 0.0, "no_price"),
        ({}, 10.1, "stale_price"),
    ],
)
def test_a_price_that_is_none_asks_nobody(
    changes: dict[str, Any], now_s: float, code: str
) -> None:
    assert outcome(desk().price(attrs.evolve(ticker("50000"), **changes), now_s)) == (
        Outcome.REFUSED,
        code,
    )


def test_a_timed_bot_begins_with_the_first_price_once_it_is_warm() -> None:
    strategy = Scripted(candles_min=1)
    bot = desk(strategy, evaluate_s=60.0)
    assert bot.price(ticker("50000"), 1.0) is None
    window = (candle(1, "50000"),)
    assert bot.candles(Candles("binance", SYMBOL, "1m", window, window), 1.5) is None
    assert outcome(bot.price(ticker("50000"), 2.0)) == (Outcome.HOLD, "")
    assert (bot.price(ticker("50000"), 3.0), bot.due_s) == (None, 62.0)


def test_a_bot_by_candles_evaluates_each_closed_one() -> None:
    strategy = Scripted()
    bot = desk(strategy, evaluate_s="candle")
    assert bot.price(ticker("50000"), 0.0) is None
    window = (candle(1, "50000"),)
    running = Candles("binance", SYMBOL, "1m", (), window, candle(2, "1", is_closed=False))
    assert bot.candles(running, 0.0) is None
    closed = Candles("binance", SYMBOL, "1m", window, window)
    assert outcome(bot.candles(closed, 0.0)) == (Outcome.HOLD, "")
    assert (strategy.views[0].cause, strategy.views[0].window) == (Cause.CANDLE, window)


def test_only_changes_of_a_signal_are_recorded_with_the_count_of_repeats() -> None:
    strategy = Scripted()
    bot, recorded = desk(strategy), list[tuple[str, int]]()
    for n, reason in enumerate(("gap 1.5 %", "gap 2.75 %", "gap 3 %", "no candles")):
        strategy.says = Signal(SignalType.HOLD, 0.0, 1.0, (reason,))
        decision = done(bot.price(ticker("50000", n), float(n)))
        recorded += [
            (fact.signal.reasons[0], fact.repeated)
            for fact in decision.facts
            if isinstance(fact, SignalGenerated)
        ]
    assert recorded == [("gap 1.5 %", 0), ("no candles", 2)]


def test_only_the_first_of_equal_refusals_is_recorded() -> None:
    bot = desk(Scripted(SELL))
    refusals = [
        [type(fact) for fact in done(bot.price(ticker("50000", n), float(n))).facts]
        for n in range(3)
    ]
    assert refusals == [[SignalGenerated, Refused], [], []]
    assert bot.why_not.last is not None
    assert bot.why_not.last.repeated == 2


def test_every_evaluation_has_one_outcome_and_every_decision_one_intent() -> None:
    """I-9, over all kinds of signals."""
    strategy = Scripted()
    bot = desk(strategy, refused_wait_s=0.0)
    wishes: list[str] = []
    for n, says in enumerate([HOLD, BUY, BUY, SELL, HOLD, BUY] * 20):
        strategy.says = says
        decision = done(bot.price(ticker("50000", n), float(n)))
        assert decision.shown.number == n + 1
        if decision.wish is not None:
            wishes.append(decision.wish.intent_id)
    assert len(set(wishes)) == len(wishes) > 1


@pytest.mark.parametrize(
    ("says", "text"),
    [
        (None, "scripted returned NoneType, not a Signal"),
        (attrs.evolve(BUY, strength=float("nan")), "strength nan, not 0 to 1"),
        (attrs.evolve(BUY, confidence=1.5), "confidence 1.5, not 0 to 1"),
        (attrs.evolve(BUY, strength="high"), "strength 'high', not 0 to 1"),
        (attrs.evolve(BUY, type="buy"), "type 'buy', not a SignalType"),
        (attrs.evolve(BUY, reasons=("fine", 3)), "reasons .* not texts"),
    ],
)
def test_what_is_no_signal_ends_this_life(says: Any, text: str) -> None:
    with pytest.raises(BadSignal, match=text):
        desk(Scripted(says)).price(ticker("50000"), 0.0)


def test_prices_are_sampled() -> None:
    bot = desk(price_every_s=10.0)
    bot.price(ticker("50000"), 0.0)
    assert isinstance(bot.sample(0.0), PriceUpdated)
    assert bot.sample(9.9) is None
    assert bot.sample(10.0) is not None


def test_an_undelivered_wish_is_refused() -> None:
    bot = desk(Scripted(BUY))
    bot.price(ticker("50000"), 0.0)
    decision = bot.unsent(("risk_down", "the circuit is open"), 0.1)
    assert outcome(decision) == (Outcome.REFUSED, "risk_down")
    assert [type(fact) for fact in decision.facts] == [Refused]


def test_a_strategy_sees_what_its_bot_reads_besides() -> None:
    strategy = Scripted()
    both = desk(strategy, reads=READS)
    assert both.price(elsewhere("50100"), 0.0) is None
    both.price(ticker("50000"), 0.0)
    view = strategy.views[-1]
    other = view.other("kraken:BTC/USDT")
    assert other.ticker is not None
    assert (view.ticker.last, other.ticker.last) == (50000, 50100)
    assert view.other("binance:ETH/USDT").ticker is None


def test_a_price_elsewhere_asks_for_an_evaluation_on_ticks_only() -> None:
    strategy = Scripted()
    both = desk(strategy, reads=READS)
    both.price(ticker("50000"), 0.0)
    assert outcome(both.price(elsewhere("50200"), 1.0)) == (Outcome.HOLD, "")
    assert strategy.views[-1].ticker.last == 50000
    slow = desk(Scripted(), reads=READS, evaluate_s="candle")
    slow.price(ticker("50000"), 0.0)
    assert slow.price(elsewhere("50200"), 1.0) is None


def test_a_stale_price_elsewhere_is_not_shown() -> None:
    strategy = Scripted()
    both = desk(strategy, reads=READS)
    both.price(elsewhere("50100", received_s=0.0), 0.0)
    both.price(ticker("50000", 10.5), 10.5)
    assert strategy.views[-1].other("kraken:BTC/USDT").ticker is None


def test_a_gap_elsewhere_takes_its_prices_and_leaves_the_own_ones() -> None:
    strategy = Scripted()
    both = desk(strategy, reads=READS)
    both.price(ticker("50000"), 0.0)
    both.price(elsewhere("2500", pair=READS[0]), 0.0)
    both.price(elsewhere("50100"), 0.0)
    assert both.feed_state(FeedState("kraken", Link.GAP, 0.0), 0.0) is None
    both.price(ticker("50001"), 0.0)
    view = strategy.views[-1]
    assert view.ticker.last == 50001
    assert view.other("kraken:BTC/USDT").ticker is None
    assert view.other("binance:ETH/USDT").ticker is not None


def test_candles_elsewhere_are_shown_beside_the_own_ones() -> None:
    strategy = Scripted()
    both = desk(strategy, reads=READS)
    there = (candle(1, "50100"),)
    both.candles(Candles("kraken", SYMBOL, "1m", there, there), 0.0)
    both.price(ticker("50000"), 0.0)
    view = strategy.views[-1]
    assert (view.window, view.other("kraken:BTC/USDT").window) == ((), there)


def test_a_step_of_the_clock_makes_prices_everywhere_old() -> None:
    strategy = Scripted()
    both = desk(strategy, reads=READS)
    both.price(elsewhere("50100"), 0.0)
    both.sight.forget_prices()
    both.price(ticker("50000"), 0.0)
    assert strategy.views[-1].other("kraken:BTC/USDT").ticker is None


def test_a_book_elsewhere_is_shown_while_it_is_fresh() -> None:
    strategy = Scripted()
    both = desk(strategy, reads=READS, has_book=True)
    level = ((Decimal(50_100), Decimal(1)),)
    there = BookSnapshot("kraken", SYMBOL, 7, level, level, received_s=0.0)
    assert not both.sight.is_own(there)
    both.price(ticker("50000"), 0.0)
    assert strategy.views[-1].other("kraken:BTC/USDT").book == there
    both.price(ticker("50000", 10.5), 10.5)
    assert strategy.views[-1].other("kraken:BTC/USDT").book is None
