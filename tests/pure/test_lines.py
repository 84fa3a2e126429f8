"""The lines that people read, one for each row of the ledger."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest
from hypothesis import given

from actors.messages import (
    Acknowledged,
    Balanced,
    BotPaused,
    ClockMeasured,
    ConnectionReplaced,
    Ended,
    ExchangeConnected,
    ExchangeDisconnected,
    ExchangeReconnecting,
    ExitReason,
    ExitTriggered,
    Fact,
    FallbackBegun,
    FleetStarted,
    OrderStatus,
    OrderType,
    OutcomeUnknown,
    PositionClosed,
    PositionOpened,
    Purpose,
    Reconciled,
    Refused,
    Signal,
    SignalGenerated,
    SignalType,
    StopMoved,
    Supervised,
)
from actors.pure.fact_words import words
from actors.pure.facts import FACT_TYPES
from actors.pure.fleet_words import fleet_words
from actors.pure.lines import fact_line, line
from actors.pure.money import signed
from actors.pure.transition_line import NAME_WIDTH
from tests.pure.test_events import FILLED, INTENDED
from tests.pure.test_facts import FACTS

AT_MS = 1_700_000_037_481

LINES: list[tuple[Fact, str]] = [
    (
        FleetStarted("run-1", "sim", ("dawn", "dusk"), "0.1.0"),
        "fleet| up · mode sim · 2 bots · version 0.1.0 · run run-1",
    ),
    (
        ExchangeConnected("binance", 1, 2, 40, 4, 11_100),
        "feed:binance| connected · 2 subscriptions proven in 0.04 s · no prices for 11.1 s",
    ),
    (
        ExchangeConnected("binance", 0, 1, 40, 4, 0),
        "feed:binance| connected · 1 subscription proven in 0.04 s",
    ),
    (
        ExchangeDisconnected("binance", "no data on BTC/USDT ticker for 10.0 s"),
        "feed:binance| disconnected: no data on BTC/USDT ticker for 10.0 s",
    ),
    (
        ExchangeReconnecting("binance", 1, 5, 1040),
        "feed:binance| attempt 1 of 5 in 1.04 s",
    ),
    (
        ConnectionReplaced("binance", "23.8 h old", 2, 3_400, 12),
        "feed:binance| connection replaced (23.8 h old) · 2 subscriptions taken over in"
        " 3.4 s",
    ),
    (
        FallbackBegun("binance", "BTC/USDT", 10_000),
        "fallback:binance| BTC/USDT is silent for 10.0 s: asking for its price over REST",
    ),
    (
        SignalGenerated(
            "dawn",
            "BTC/USDT",
            Signal(SignalType.BUY, 0.8, 0.6, ("fast crossed slow",)),
            Decimal("50000.10"),
            12,
            0,
        ),
        "bot:dawn| BUY BTC/USDT at 50000.1 · strength 0.80, confidence 0.60"
        " · fast crossed slow",
    ),
    (
        Refused("dawn", "main", "BTC/USDT", "", Purpose.ENTRY, "no_price", ("none yet",)),
        "bot:dawn| entry on BTC/USDT refused, no_price: none yet",
    ),
    (
        INTENDED,
        "orders:main| dawn will buy 0.02 BTC/USDT market at about 50000",
    ),
    (
        attrs.evolve(INTENDED, order_type=OrderType.LIMIT, limit_price=Decimal("49900.50")),
        "orders:main| dawn will buy 0.02 BTC/USDT limit 49900.5",
    ),
    (
        attrs.evolve(
            INTENDED,
            order_type=OrderType.STOP_LOSS_LIMIT,
            stop_price=Decimal(49_000),
            limit_price=Decimal(48_755),
        ),
        "orders:main| dawn will buy 0.02 BTC/USDT stop_loss_limit, trigger 49000,"
        " limit 48755",
    ),
    (
        OutcomeUnknown("dawn", "main", "BTC/USDT", "c-1", "timed out"),
        "orders:main| dawn's order c-1 is UNKNOWN until the exchange tells: timed out",
    ),
    (FILLED, "account:main| dawn bought 0.02 BTC/USDT at 50000"),
    (
        Ended(
            "dawn", "main", "A/B", "c-1", OrderStatus.REJECTED, Decimal(0), "-2010", "no"
        ),
        "orders:main| dawn's order c-1 rejected · 0 filled · -2010: no",
    ),
    (
        PositionOpened(
            "dawn",
            "main",
            "binance",
            "BTC/USDT",
            "p-1",
            Decimal(50_000),
            Decimal("0.02"),
            Decimal(49_000),
            None,
            Decimal("1.5"),
        ),
        "positions:main| dawn holds 0.02 BTC/USDT at 50000 · stop 49000 · trailing 1.5 %",
    ),
    (
        StopMoved("dawn", "main", "BTC/USDT", "p-1", Decimal(49_500), Decimal(50_500)),
        "positions:main| dawn's stop on BTC/USDT is now 49500 · high 50500",
    ),
    (
        ExitTriggered(
            "dawn",
            "main",
            "BTC/USDT",
            "p-1",
            ExitReason.STOP_LOSS,
            Decimal(49_000),
            Decimal("-20.5"),
        ),
        "positions:main| dawn: stop loss hit on BTC/USDT at 49000 · pnl \u221220.50"
        " before the exit's fee",
    ),
    (
        PositionClosed(
            "dawn",
            "main",
            "BTC/USDT",
            "p-1",
            ExitReason.TAKE_PROFIT,
            Decimal(52_500),
            Decimal("49.12345"),
            Decimal("0.00001"),
            "",
        ),
        "positions:main| dawn is out of BTC/USDT at 52500 by take profit · pnl +49.12"
        " · dust 0.00001",
    ),
    (BotPaused("dawn", "main", "tea"), "bot:dawn| paused by an operator: tea"),
    (
        Balanced("main", "USDT", Decimal(900), Decimal(100)),
        "account:main| 900 USDT free, 100 more in orders",
    ),
    (
        Reconciled("main", "at start", 2, 1, 0, ("BTC: 0.1 here, 0.2 there",), 1),
        "account:main| reconciled, at start · 2 open orders · 1 fill booked"
        " · 0 orders settled · 1 foreign order · BTC: 0.1 here, 0.2 there",
    ),
    (
        ClockMeasured("binance", -12, 3),
        "clock| binance is \u221212 ms from us · round trip 3 ms",
    ),
    (
        Supervised(
            path="root/bots/bot:eth-trend",
            incarnation=3,
            event="failed",
            old="RUNNING",
            new="OPEN",
            error="KeyError: 'slow' in strategies/ema_cross.py:31",
            consecutive=3,
            delay_ms=61_000,
            uptime_ms=5,
            mailbox_depth=0,
            next="one try in 61 s · its position stays guarded",
        ),
        "bot:eth-trend| circuit open: 3 failures in a row, last KeyError: 'slow' in"
        " strategies/ema_cross.py:31 · one try in 61 s · its position stays guarded",
    ),
]


@pytest.mark.parametrize(("fact", "expected"), LINES, ids=lambda each: type(each).__name__)
def test_a_line_says_when_who_and_what(fact: Fact, expected: str) -> None:
    actor, _, said = expected.partition("| ")
    assert fact_line(AT_MS, fact) == f"22:13:57.481  {actor:<{NAME_WIDTH}}  {said}"


def test_an_order_is_shown_by_the_end_of_its_id() -> None:
    order_id = "89869545-9b1e-4996-9ead-5de57075ca89"
    fact = Acknowledged("dawn", "main", "BTC/USDT", order_id, "1001394")
    assert words(fact) == "dawn's order …7075ca89 is at the exchange as 1001394"


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("2.99656517", "+3.00"), ("-0.000123", "\u22120.000123"), ("0", "+0.00")],
)
def test_a_result_has_as_many_places_as_say_something(amount: str, shown: str) -> None:
    assert signed(Decimal(amount)) == shown


@pytest.mark.parametrize("fact_type", FACT_TYPES)
def test_every_fact_has_words_of_its_own(fact_type: type[Fact]) -> None:
    assert (words.dispatch(fact_type), fleet_words.dispatch(fact_type)) != (
        words.dispatch(object),
        fleet_words.dispatch(object),
    )


@given(FACTS)
def test_no_fact_makes_two_lines(fact: Fact) -> None:
    assert len(fact_line(AT_MS, fact).splitlines()) == 1


def test_a_word_of_another_version_is_still_told() -> None:
    fact = Supervised("root/clock", 1, "ascended", "A", "B", "", 0, 0, 0, 0, "")

    assert words(fact) == "ascended: A to B"


def test_control_characters_from_outside_do_nothing() -> None:
    assert line(AT_MS, "fleet", "a\r\n\x1b[2Kb\u2028c").endswith("  a [2Kb c")


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("12.5", "+12.50"),
        ("-3", "\u22123.00"),
        ("0", "+0.00"),
        ("0.00001234", "+0.00001234"),
        ("1E+3", "+1000.00"),
    ],
)
def test_an_amount_shows_its_sign_and_the_places_that_matter(
    amount: str, shown: str
) -> None:
    assert signed(Decimal(amount)) == shown
