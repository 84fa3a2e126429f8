"""A sale that a strategy decided once, and what becomes of it where it cannot begin."""

from __future__ import annotations

from decimal import Decimal

import pytest

from actors.messages import (
    BotPaused,
    BotResumed,
    ExitIntent,
    OrderIntent,
    OrderStatus,
    Outcome,
    Purpose,
    Refused,
    Source,
)
from actors.pure.bot_desk import BotDesk
from actors.pure.market_view import Cause
from tests.pure.desks import FILL, Scripted, desk, done, outcome
from tests.words import BUY, HOLD, SELL, attempted, ended, exit_intended, intended, ticker

HELD = (intended(base=Decimal("0.02")), attempted(), FILL)


def sold_once(strategy: Scripted) -> tuple[BotDesk, ExitIntent]:
    """A bot that holds, whose strategy says SELL once."""
    bot = desk(strategy)
    for fact in HELD:
        bot.fact(fact, 0.0)
    strategy.says = SELL
    wish = done(bot.price(ticker("51000", 1.0), 1.0)).wish
    assert isinstance(wish, ExitIntent)
    strategy.says = HOLD
    return bot, wish


def refused(wish: ExitIntent, code: str) -> Refused:
    owner = wish.bot, wish.account, wish.symbol
    return Refused(*owner, wish.intent_id, Purpose.EXIT, code, ("why",))


@pytest.mark.parametrize("code", ["exit_in_flight", "expired", "not_reconciled"])
def test_a_sale_that_could_not_begin_is_tried_again_until_it_begins(code: str) -> None:
    bot, first = sold_once(Scripted())
    bot.fact(refused(first, code), 1.1)
    assert outcome(bot.price(ticker("50990", 1.9), 1.9)) == (Outcome.HOLD, "")
    second = done(bot.price(ticker("50980", 2.1), 2.1))
    assert isinstance(second.wish, ExitIntent)
    assert second.wish.intent_id != first.intent_id
    assert second.facts == ()  # the signal was told before
    bot.fact(refused(second.wish, code), 2.2)
    assert done(bot.price(ticker("50970", 3.9), 3.9)).wish is None  # longer each time
    third = done(bot.price(ticker("50960", 4.2), 4.2)).wish
    assert isinstance(third, ExitIntent)
    bot.fact(exit_intended(intent_id=third.intent_id), 4.3)
    bot.fact(attempted(third.intent_id, "cx1"), 4.3)
    bot.fact(ended(OrderStatus.REJECTED, order_id="cx1"), 4.4)  # the guard is at it now
    assert done(bot.price(ticker("50950", 20.0), 20.0)).wish is None


def test_a_sale_that_the_orders_actor_did_not_take_is_tried_again() -> None:
    bot, _ = sold_once(Scripted())
    bot.unsent(("orders_busy", "it took nothing"), 3.0)
    assert isinstance(done(bot.price(ticker("50990", 3.1), 3.1)).wish, ExitIntent)


def test_a_sale_decided_while_a_buy_is_on_its_way_follows_it() -> None:
    bot = desk(strategy := Scripted(BUY))
    buy = done(bot.price(ticker("50000", 1.0), 1.0)).wish
    assert isinstance(buy, OrderIntent)
    strategy.says = SELL
    assert done(bot.price(ticker("49990", 1.1), 1.1)).shown.code == "no_position"
    strategy.says = HOLD
    for fact in (
        intended(intent_id=buy.intent_id, base=Decimal("0.02")),
        attempted(buy.intent_id),
    ):
        bot.fact(fact, 1.2)
    assert done(bot.price(ticker("49985", 2.2), 2.2)).wish is None
    bot.fact(FILL, 2.3)
    assert isinstance(done(bot.price(ticker("49980", 2.4), 2.4)).wish, ExitIntent)


@pytest.mark.parametrize("code", ["no_position", "below_minimum"])
def test_a_sale_that_would_be_refused_again_is_not_tried_again(code: str) -> None:
    bot, wish = sold_once(Scripted())
    bot.fact(refused(wish, code), 1.1)
    assert done(bot.price(ticker("50980", 5.0), 5.0)).wish is None


def test_a_buy_and_an_operator_s_pause_take_back_a_sale_that_did_not_begin() -> None:
    bot, wish = sold_once(strategy := Scripted())
    bot.fact(refused(wish, "expired"), 1.1)
    strategy.says = BUY
    bot.evaluate(Cause.TIMER, 1.2)
    strategy.says = HOLD
    assert done(bot.price(ticker("50980", 5.0), 5.0)).wish is None
    bot, wish = sold_once(Scripted())
    bot.fact(refused(wish, "expired"), 1.1)
    bot.fact(BotPaused("dawn", "main", "lunch"), 1.2)
    bot.fact(BotResumed("dawn", "main"), 1.3)
    assert done(bot.price(ticker("50980", 5.0), 5.0)).wish is None


def test_an_older_price_replaces_no_newer_one() -> None:
    bot = desk(Scripted())
    bot.price(ticker("80", 7.1), 7.1)
    assert bot.price(ticker("100", 7.0, source=Source.REST), 7.4) is None
    assert bot.sight.ticker is not None
    assert bot.sight.ticker.last == 80
