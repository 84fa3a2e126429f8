"""The public events of a run, folded from its facts."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given

from actors.messages import (
    Acknowledged,
    Attempted,
    BotPaused,
    Ended,
    ExchangeConnected,
    ExchangeDisconnected,
    ExchangeReconnecting,
    ExitReason,
    ExitTriggered,
    Fact,
    Filled,
    FleetStarted,
    Intended,
    OrderStatus,
    OrderType,
    OutcomeUnknown,
    PositionOpened,
    PriceUpdated,
    Purpose,
    Refused,
    Side,
    Signal,
    SignalGenerated,
    SignalType,
)
from actors.pure.events import PublicEvent, Story, event_json
from tests.pure.test_facts import FACTS

STARTED = FleetStarted("run-1", "sim", ("dawn",), "0.1.0")
INTENDED = Intended(
    bot="dawn",
    account="main",
    exchange="binance",
    symbol="BTC/USDT",
    intent_id="i-1",
    purpose=Purpose.ENTRY,
    side=Side.BUY,
    order_type=OrderType.MARKET,
    base=Decimal("0.02"),
    price=Decimal(50_000),
    limit_price=None,
    stop_price=None,
    strategy="ema_cross",
    notes="Bot: dawn | Signal: BUY",
)
ATTEMPTED = Attempted("dawn", "main", "BTC/USDT", "i-1", 1, "c-1", 5)
ACKNOWLEDGED = Acknowledged("dawn", "main", "BTC/USDT", "c-1", "v-1")
UNKNOWN = OutcomeUnknown("dawn", "main", "BTC/USDT", "c-1", "timed out")
FILLED = Filled(
    bot="dawn",
    account="main",
    exchange="binance",
    symbol="BTC/USDT",
    client_order_id="c-1",
    trade_id="7",
    side=Side.BUY,
    price=Decimal(50_000),
    base=Decimal("0.02"),
    fee=Decimal(0),
    fee_asset="BTC",
    is_maker=False,
    trade_ms=1,
)


def ended(status: OrderStatus) -> Ended:
    return Ended("dawn", "main", "BTC/USDT", "c-1", status, Decimal(0), "-2010", "no")


def hit(reason: ExitReason) -> ExitTriggered:
    price, pnl = Decimal(49_000), Decimal("-20.5")
    return ExitTriggered("dawn", "main", "BTC/USDT", "p-1", reason, price, pnl)


def told(*facts: Fact) -> PublicEvent:
    """Return the event of the last of the facts."""
    story = Story()
    return [story.tell(1_700, fact) for fact in facts][-1]


def as_json(*facts: Fact) -> dict[str, Any]:
    return json.loads(event_json(told(*facts)))


def test_every_event_carries_type_bot_run_time_and_data() -> None:
    assert as_json(STARTED, BotPaused("dawn", "main", "tea")) == {
        "type": "bot_paused",
        "bot": "dawn",
        "execution_id": "run-1",
        "timestamp": 1_700,
        "data": {"account": "main", "reason": "tea"},
    }


def test_no_amount_is_written_with_an_exponent() -> None:
    nothing = attrs.evolve(hit(ExitReason.SIGNAL), pnl=Decimal("0E-8"))

    assert as_json(nothing)["data"]["pnl"] == "0.00000000"


def test_each_run_has_its_own_execution_id() -> None:
    again = attrs.evolve(STARTED, execution="run-2")

    assert told(STARTED, again, BotPaused("dawn", "main", "")).execution_id == "run-2"


def test_an_order_is_created_when_the_exchange_has_it() -> None:
    event = as_json(STARTED, INTENDED, ATTEMPTED, ACKNOWLEDGED)

    assert (event["type"], event["bot"]) == ("order_created", "dawn")
    assert event["data"] == {
        "order_id": "c-1",
        "signal": "BUY",
        "size": "1000.00",
        "order_type": "market",
        "purpose": "entry",
        "strategy": "ema_cross",
        "notes": "Bot: dawn | Signal: BUY",
        "account": "main",
        "symbol": "BTC/USDT",
        "client_order_id": "c-1",
        "venue_order_id": "v-1",
    }


def test_the_size_of_a_limit_order_is_what_it_may_cost() -> None:
    limited = attrs.evolve(INTENDED, limit_price=Decimal(49_000))

    assert told(limited, ATTEMPTED, ACKNOWLEDGED).data["size"] == Decimal(980)


@pytest.mark.parametrize(
    ("fact", "name"),
    [
        (FILLED, "order_filled"),
        (UNKNOWN, "order_unknown"),
        (ended(OrderStatus.FILLED), "order_completed"),
        (ended(OrderStatus.REJECTED), "order_rejected"),
        (ended(OrderStatus.CANCELED), "order_canceled"),
        (ended(OrderStatus.EXPIRED), "order_expired"),
        (ended(OrderStatus.NOT_PLACED), "order_not_placed"),
    ],
)
def test_the_rest_of_an_orders_life_names_its_order_and_signal(
    fact: Fact, name: str
) -> None:
    event = told(INTENDED, ATTEMPTED, fact)

    assert (event.type, event.data["order_id"], event.data["signal"]) == (
        name,
        "c-1",
        "BUY",
    )


def test_an_order_whose_intent_is_not_known_is_told_without_it() -> None:
    event = told(FILLED)

    assert (event.type, event.data["order_id"], "signal" in event.data) == (
        "order_filled",
        "c-1",
        False,
    )


@pytest.mark.parametrize(
    ("reason", "name"),
    [
        (ExitReason.STOP_LOSS, "stop_loss_hit"),
        (ExitReason.TRAILING_STOP, "stop_loss_hit"),
        (ExitReason.TAKE_PROFIT, "take_profit_hit"),
    ],
)
def test_a_hit_names_position_symbol_exit_price_and_pnl(
    reason: ExitReason, name: str
) -> None:
    event = as_json(hit(reason))

    assert (event["type"], event["data"]) == (
        name,
        {
            "account": "main",
            "symbol": "BTC/USDT",
            "position_id": "p-1",
            "reason": reason.value,
            "exit_price": "49000",
            "pnl": "-20.5",
        },
    )


def test_a_signal_is_told_whole() -> None:
    signal = Signal(SignalType.BUY, 0.8, 0.6, ("crossed",), {"fast": Decimal("1.10")})
    data = as_json(SignalGenerated("dawn", "A/B", signal, Decimal(5), 12, 0))["data"]

    assert data["signal"] == {
        "type": "BUY",
        "strength": 0.8,
        "confidence": 0.6,
        "reasons": ["crossed"],
        "indicators": {"fast": "1.10"},
    }


def test_a_price_is_told_with_bid_ask_and_volume() -> None:
    fact = PriceUpdated(
        "dawn", "A/B", Decimal(2), Decimal(1), Decimal(3), Decimal(9), 77, "x"
    )

    event = as_json(fact)

    assert (event["type"], event["data"]) == (
        "price_update",
        {
            "symbol": "A/B",
            "price": "2",
            "bid": "1",
            "ask": "3",
            "volume": "9",
            "timestamp": 77,
            "exchange": "x",
        },
    )


@pytest.mark.parametrize(
    ("fact", "attempt"),
    [
        (ExchangeConnected("binance", 2, 3, 4, 5, 6), 2),
        (ExchangeDisconnected("binance", "eof"), 0),
        (ExchangeReconnecting("binance", 2, 5, 100), 2),
    ],
)
def test_a_connection_names_its_exchange_and_attempt(fact: Fact, attempt: int) -> None:
    data = told(fact).data

    assert (data["exchange"], data["attempt"]) == ("binance", attempt)


@pytest.mark.parametrize(
    ("fact", "name"),
    [
        (Refused("dawn", "main", "A/B", "", Purpose.ENTRY, "no_price", ()), "refused"),
        (
            PositionOpened(
                "dawn", "main", "x", "A/B", "p", Decimal(1), Decimal(1), None, None, None
            ),
            "position_opened",
        ),
    ],
)
def test_other_facts_are_told_under_their_kind(fact: Fact, name: str) -> None:
    assert told(fact).type == name


def test_only_so_many_orders_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.pure.events.ORDERS_MAX", 2)
    story = Story()
    for number in range(3):
        name = f"i-{number}"
        story.tell(0, attrs.evolve(INTENDED, intent_id=name))
        story.tell(
            0, attrs.evolve(ATTEMPTED, intent_id=name, client_order_id=f"c-{number}")
        )
    known = [
        "signal" in story.tell(0, attrs.evolve(ACKNOWLEDGED, client_order_id=order)).data
        for order in ("c-0", "c-1", "c-2")
    ]

    assert known == [False, True, True]


@given(FACTS)
def test_every_fact_becomes_one_line_of_json(fact: Fact) -> None:
    text = event_json(told(fact))

    assert ("\n" in text, json.loads(text)["timestamp"]) == (False, 1_700)
