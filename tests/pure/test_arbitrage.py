"""When it is worth buying here and selling there, and how much."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest

from actors.messages import Fact, FeedState, Instrument, Link, OutcomeUnknown, Source
from actors.pure.arbitrage import Chance, LegSettings, Market, find
from actors.pure.books import Books
from tests.pure.leg_words import (
    BUY,
    HERE,
    SELL,
    SETTINGS,
    THERE,
    begun,
    inventory,
)
from tests.words import BTC, SYMBOL, Money, ticker

COARSE = attrs.evolve(BTC, exchange="kraken", lot=Decimal("0.001"))


def market(
    leg: LegSettings,
    bid: Money,
    ask: Money,
    *,
    instrument: Instrument | None = BTC,
    received_s: float = 0.0,
    link: Link = Link.RESUMED,
) -> Market:
    price = ticker(bid, received_s, exchange=leg.exchange, bid=Decimal(bid),
                   ask=Decimal(ask))  # fmt: skip
    return Market(SYMBOL, instrument, price, FeedState(leg.exchange, link, 0.0))


def markets(**changes: Any) -> dict[str, Market]:
    """Return two markets: kraken pays one per cent more than binance asks."""
    there = {"instrument": COARSE} | changes.pop("there", {})
    return {
        "binance": market(HERE, 49_990, 50_000, **changes.pop("here", {})),
        "kraken": market(THERE, 50_500, 50_510, **there),
    }


def books(*facts: Fact) -> Books:
    found = Books()
    for fact in (*inventory(SELL, "0.5"), *facts):
        found.apply(fact)
    return found


def test_the_cheap_side_is_bought_and_the_dear_one_sold_in_common_lots() -> None:
    found = find(SETTINGS, markets(), books(), 1.0)
    assert isinstance(found, Chance)
    assert (found.buy.bot, found.sell.bot, found.base) == ("dawn", "dusk", Decimal("0.02"))
    # (50,500 x 0.999 - 50,000 x 1.001) / 50,000
    assert found.profit_percent == Decimal("0.799")


def test_what_the_fees_would_eat_is_left_alone() -> None:
    dear = attrs.evolve(SETTINGS, profit_percent=Decimal("0.8"))
    assert find(dear, markets(), books(), 1.0) == (
        "",
        "buying at binance and selling at kraken earns 0.799 %, 0.8 % is wanted",
    )


@pytest.mark.parametrize(("held", "base"), [("0.013", "0.013"), ("0.0139", "0.013")])
def test_no_more_is_sold_than_the_inventory(held: str, base: str) -> None:
    found = Books()
    for fact in inventory(SELL, held):
        found.apply(fact)
    chance = find(SETTINGS, markets(), found, 1.0)
    assert isinstance(chance, Chance)
    assert chance.base == Decimal(base)


def test_no_more_is_bought_than_the_capital_that_is_left() -> None:
    bought = inventory(BUY, "99.5")  # at 100 each
    chance = find(SETTINGS, markets(), books(*bought), 1.0)
    assert isinstance(chance, Chance)
    assert chance.base == Decimal("0.001")  # for the 50 that are left


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"here": {"link": Link.GAP}}, "no_price"),
        ({"there": {"link": Link.CONNECTING}}, "no_price"),
        ({"there": {"received_s": -9.5}}, "stale_price"),
        ({"here": {"instrument": None}}, "not_trading"),
        ({"there": {"instrument": attrs.evolve(BTC, is_trading=False)}}, "not_trading"),
        ({"there": {"instrument": attrs.evolve(BTC, lot=Decimal("0.6"))}}, "no_position"),
        ({"there": {"instrument": attrs.evolve(BTC, lot=Decimal(".03"))}}, "below_minimum"),
        ({"here": {"instrument": attrs.evolve(BTC, quote_min=Decimal(2000))}},
         "below_minimum"),
    ],
)  # fmt: skip
def test_each_circumstance_has_its_code(changes: dict[str, Any], code: str) -> None:
    found = find(SETTINGS, markets(**changes), books(), 1.0)
    assert isinstance(found, tuple)
    assert found[0] == code


def test_without_an_inventory_nothing_is_sold() -> None:
    assert find(SETTINGS, markets(), Books(), 1.0) == (
        "no_position",
        f"nothing to sell there: dusk holds 0 {SYMBOL} at kraken",
    )


@pytest.mark.parametrize("leg", [BUY, SELL])
def test_an_order_of_either_leg_comes_first(leg: Any) -> None:
    found = find(SETTINGS, markets(), books(*begun(leg)), 1.0)
    assert isinstance(found, tuple)
    assert found[0] == "order_in_flight"
    lost = OutcomeUnknown(leg.bot, leg.account, SYMBOL, leg.intent_id, "no answer")
    found = find(SETTINGS, markets(), books(*begun(leg), lost), 1.0)
    assert isinstance(found, tuple)
    assert found[0] == "unknown_order"


def test_a_gap_of_another_symbol_leaves_the_price() -> None:
    known = market(HERE, 1, 2)
    known.hear(FeedState("binance", Link.GAP, 1.0, symbols=("ETH/USDT",)))
    assert known.ticker is not None
    known.hear(FeedState("binance", Link.GAP, 1.0, symbols=(SYMBOL,)))
    assert (known.ticker, known.feed and known.feed.link) == (None, Link.GAP)


def test_a_feed_that_only_counts_on_leaves_the_price() -> None:
    """It does so each second where prices come faster than they are read."""
    known = market(HERE, 1, 2)
    known.hear(FeedState("binance", Link.RESUMED, 0.0, prices_replaced=9))
    assert known.ticker is not None
    known.hear(FeedState("binance", Link.RESUMED, 5.0))  # the gap before was not heard of
    assert known.ticker is None


def test_a_life_that_missed_the_feeds_word_trusts_its_stream_and_not_rest() -> None:
    """A feed speaks when something changes, which may have been before this life."""
    known = markets()
    known["kraken"].feed = None
    assert isinstance(find(SETTINGS, known, books(), 1.0), Chance)
    price = known["kraken"].ticker
    assert price is not None
    known["kraken"].ticker = attrs.evolve(price, source=Source.REST)
    assert find(SETTINGS, known, books(), 1.0) == (
        "no_price",
        "kraken tells prices by REST only",
    )
