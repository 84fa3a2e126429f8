"""What people look at is a fold of facts: the same from the ledger and from the fleet."""

from __future__ import annotations

from decimal import Decimal
from itertools import permutations
from typing import Any

import attrs
import pytest

from actors.messages import (
    Acknowledged,
    BotPaused,
    BotResumed,
    BotStarted,
    BotStopped,
    ExchangeConnected,
    ExchangeDisconnected,
    ExchangeReconnecting,
    ExitReason,
    ExitTriggered,
    Fact,
    FallbackBegun,
    FallbackEnded,
    FeedState,
    FleetStarted,
    FleetStopped,
    Link,
    OrderStatus,
    OutcomeUnknown,
    PositionClosed,
    PositionOpened,
    PriceUpdated,
    Purpose,
    Reconciled,
    Refused,
    SignalGenerated,
    StopMoved,
    Supervised,
)
from actors.messages.board import Alarmed, Evaluated, Outcome, PositionSeen
from actors.messages.supervision import ActorState, State
from actors.pure.read_model import ReadModel
from actors.pure.status import Live, status_of
from actors.pure.status_text import status_lines
from tests.words import (
    BUY,
    SYMBOL,
    attempted,
    ended,
    exit_intended,
    filled,
    intended,
    sold,
)

STARTED = FleetStarted("run-1", "sim", ("dawn", "dusk"), "0.1.0")
CONNECTED = ExchangeConnected("binance", 0, 2, 40, 3, 0)
LOST = ExchangeDisconnected("binance", "EOF")
ACKNOWLEDGED = Acknowledged("dawn", "main", SYMBOL, "c1", "v1")
UNKNOWN = OutcomeUnknown("dawn", "main", SYMBOL, "c1", "time-out")
OPENED = PositionOpened(
    "dawn",
    "main",
    "binance",
    SYMBOL,
    "c1",
    Decimal(100),
    Decimal(1),
    Decimal(98),
    Decimal(105),
    None,
)
HIT = ExitTriggered(
    "dawn", "main", SYMBOL, "c1", ExitReason.STOP_LOSS, Decimal(97), Decimal(-3)
)
CLOSED = PositionClosed(
    "dawn",
    "main",
    SYMBOL,
    "c1",
    ExitReason.STOP_LOSS,
    Decimal(97),
    Decimal("-3.1"),
    Decimal(0),
    "",
)
BOUGHT = (intended(), attempted(), ACKNOWLEDGED, filled(1, 100), OPENED)


def model(*facts: Fact) -> ReadModel:
    made = ReadModel()
    for number, fact in enumerate(facts):
        made.apply(fact, 1000 * number)
        made.seq = number + 1
    return made


def shown(*facts: Fact, live: Live | None = None) -> dict[str, Any]:
    return dict(status_of(model(STARTED, *facts), 60_000, live, 60.0))


def supervised(event: str, new: State, incarnation: int = 1, error: str = "") -> Supervised:
    return Supervised(
        "bots/bot:dawn", incarnation, event, "STARTING", new.value, error, 0, 0, 0, 0, ""
    )


def test_the_run_is_named_and_its_end_told() -> None:
    run = shown()["run"]
    assert (run["execution"], run["mode"], run["ended"]) == (
        "run-1",
        "sim",
        "without a goodbye",
    )
    assert shown(FleetStopped("run-1", "told to stop"))["run"]["ended"] == "told to stop"


def test_every_bot_of_the_run_is_shown_before_it_has_done_anything() -> None:
    assert list(shown()["bots"]) == ["dawn", "dusk"]


def test_a_lost_answer_is_unknown_until_the_venue_speaks() -> None:
    sent = (intended(), attempted(), UNKNOWN)
    assert shown(*sent)["bots"]["dawn"]["unknown_orders"] == ["c1"]
    for evidence in (ACKNOWLEDGED, filled(1, 100), ended(OrderStatus.NOT_PLACED)):
        assert shown(*sent, evidence)["bots"]["dawn"]["unknown_orders"] == []


@pytest.mark.parametrize(
    "said", list(permutations([ACKNOWLEDGED, filled(1, 100), ended(OrderStatus.FILLED)], 1))
)
def test_a_lost_answer_that_is_told_after_the_venue_spoke_says_nothing(
    said: tuple[Fact, ...],
) -> None:
    """The reply timed out ten seconds after the stream had told the end."""
    bot = shown(intended(), attempted(), *said, UNKNOWN)["bots"]["dawn"]
    assert bot["unknown_orders"] == []
    assert "UNKNOWN" not in bot["outcome"]


def test_a_position_is_shown_with_its_levels_until_it_is_closed() -> None:
    position = shown(*BOUGHT)["bots"]["dawn"]["position"]
    assert (position["entry"], position["base"], position["stop_loss"]) == (
        "100",
        "1",
        "98",
    )
    moved = StopMoved("dawn", "main", SYMBOL, "c1", Decimal(99), Decimal(101))
    assert shown(*BOUGHT, moved)["bots"]["dawn"]["position"]["stop_loss"] == "99"
    bot = shown(*BOUGHT, moved, HIT, sold(1, 97), CLOSED)["bots"]["dawn"]
    assert (bot["position"], bot["closed"], bot["pnl"]) == (None, 1, "-3.10")


def test_a_position_is_shown_while_the_bot_closes_one_in_another_symbol() -> None:
    """Its symbol was changed while it held the other."""
    old = {"symbol": "ETH/USDT", "client_order_id": "e1", "trade_id": "e1"}
    ten = Decimal(10)
    opened = PositionOpened(
        "dawn", "main", "binance", "ETH/USDT", "e1", ten, ten, None, None, None
    )
    held = shown(filled(10, 10, **old), opened, *BOUGHT, sold(1, 97), CLOSED)
    assert held["bots"]["dawn"]["position"] == {"entry": "10", "base": "10"}


def test_the_stop_that_is_shown_never_loosens() -> None:
    """A slow ledger may write two moves in the other order; the guard keeps the higher."""
    moves = [
        StopMoved("dawn", "main", SYMBOL, "c1", Decimal(stop), Decimal(103))
        for stop in (101, 99)
    ]
    assert shown(*BOUGHT, *moves)["bots"]["dawn"]["position"]["stop_loss"] == "101"


def test_what_is_held_follows_every_fill() -> None:
    position = shown(*BOUGHT, sold("0.25", 97))["bots"]["dawn"]["position"]
    assert position["base"] == "0.75"


def test_counts_are_of_signals_orders_fills_and_refusals() -> None:
    signal = SignalGenerated("dawn", SYMBOL, BUY, Decimal(100), 0, 0)
    refused = Refused("dawn", "main", SYMBOL, "i9", Purpose.ENTRY, "capital", ("no",))
    bot = shown(signal, *BOUGHT, refused)["bots"]["dawn"]
    assert [bot[key] for key in ("signals", "orders", "fills", "refusals")] == [1, 1, 1, 1]
    assert bot["outcome"] == "refused capital: no"


def test_pausing_and_stopping_are_two_things() -> None:
    paused, stopped = BotPaused("dawn", "main", "holiday"), BotStopped("dawn", "main")
    running = supervised("ready", State.RUNNING)
    state = shown(running, paused)["bots"]["dawn"]["state"]
    assert state == "paused: holiday"
    both = shown(running, paused, stopped)["bots"]["dawn"]["state"]
    assert both.startswith("stopped by")
    started = BotStarted("dawn", "main")
    assert shown(running, paused, stopped, started)["bots"]["dawn"]["state"] == state
    resumed = shown(running, paused, BotResumed("dawn", "main"))["bots"]["dawn"]["state"]
    assert resumed == "was running"


def test_failed_attempts_of_one_outage_are_one_disconnect() -> None:
    trying = ExchangeReconnecting("binance", 1, 5, 1000)
    exchange = shown(CONNECTED, LOST, trying, LOST, trying)["exchanges"]["binance"]
    assert (exchange["disconnects"], exchange["is_connected"]) == (1, False)
    assert exchange["link"] == "EOF · attempt 1 of 5"


def test_prices_over_rest_are_named_until_the_stream_is_back() -> None:
    begun = FallbackBegun("binance", SYMBOL, 5000)
    assert shown(begun)["exchanges"]["binance"]["over_rest"] == [SYMBOL]
    for end in (FallbackEnded("binance", SYMBOL, 3), CONNECTED):
        assert shown(begun, end)["exchanges"]["binance"]["over_rest"] == []


def test_a_ledger_without_a_goodbye_claims_no_connection() -> None:
    exchange = shown(CONNECTED)["exchanges"]["binance"]
    assert (exchange["is_connected"], exchange["link"]) == (False, "was connected")


def test_a_new_run_on_the_same_ledger_counts_anew_and_keeps_what_is_held() -> None:
    crashed = supervised("ready", State.RUNNING, incarnation=2)
    first = (STARTED, CONNECTED, LOST, supervised("ready", State.RUNNING), crashed, *BOUGHT)
    second = model(*first, attrs.evolve(STARTED, execution="run-2"))
    assert (second.restarts, second.exchanges, second.actors) == (0, {}, {})
    assert second.bot("dawn").position is not None


def test_restarts_are_counted_and_the_last_error_stays() -> None:
    facts = (
        supervised("ready", State.RUNNING),
        supervised("failed", State.BACKOFF, error="KeyError: 'slow'"),
        supervised("ready", State.RUNNING, incarnation=2),
    )
    status = shown(*facts)
    assert status["run"]["restarts"] == 1
    assert status["actors"][0]["error"] == "KeyError: 'slow'"


def test_prices_show_their_age() -> None:
    assert shown(priced(100, "binance"))["prices"][f"binance:{SYMBOL}"] == {
        "exchange": "binance",
        "symbol": SYMBOL,
        "price": "100",
        "age_s": 59.0,
        "source": "stream",
    }


def priced(price: int, exchange: str) -> PriceUpdated:
    some = Decimal(1)
    return PriceUpdated("dawn", SYMBOL, Decimal(price), some, some, some, 0, exchange)


def test_one_symbol_has_a_price_at_each_exchange() -> None:
    facts = (priced(100, "binance"), priced(101, "kraken"), priced(99, "binance"))
    prices = shown(*facts)["prices"]
    assert {name: price["price"] for name, price in prices.items()} == {
        f"binance:{SYMBOL}": "99",
        f"kraken:{SYMBOL}": "101",
    }


def test_prices_stand_below_their_exchange_and_bots_name_theirs() -> None:
    started = attrs.evolve(STARTED, pairs=(f"binance:{SYMBOL}", "kraken:ETH/USD"))
    joined = ExchangeConnected("kraken", 0, 1, 40, 1, 0)
    facts = (CONNECTED, joined, priced(101, "kraken"), priced(100, "binance"))
    status = status_of(model(started, *facts), 60_000, None, 60.0)
    lines = [line.partition(" · ")[0] for line in status_lines(status)]
    assert lines[1:] == [
        "binance  was connected",
        f"  {SYMBOL}  100  56.0 s ago",
        "kraken  was connected",
        f"  {SYMBOL}  101  57.0 s ago",
        f"bot dawn  {SYMBOL} at binance  was stopped",
        "  last: no evaluation yet",
        "bot dusk  ETH/USD at kraken  was stopped",
        "  last: no evaluation yet",
    ]


def test_a_price_of_an_old_ledger_has_no_exchange() -> None:
    assert f"  {SYMBOL}  100  59.0 s ago" in status_lines(shown(priced(100, "")))


def test_drifts_of_an_account_are_shown_one_a_line() -> None:
    drifts = ("BTC: the ledger holds 1, the venue 0.7",)
    found = Reconciled("main", "routine", 1, 0, 0, drifts, 2)
    lines = status_lines(shown(found))
    assert "  drift: BTC: the ledger holds 1, the venue 0.7" in lines


def actor(state: State) -> ActorState:
    return ActorState("bots/bot:dawn", state, 0, 1, 1.0, "", None, 0, 0, 0, 0)


def test_one_lost_connection_of_several_names_its_symbols() -> None:
    live = Live(actors=[actor(State.RUNNING)])
    gap = FeedState("binance", Link.GAP, 30.0, 1, "EOF", symbols=("ETH/USDT", "SOL/USDT"))
    live.feeds["binance"] = gap
    status = status_of(model(STARTED, CONNECTED), 60_000, live, 60.0)
    assert status["exchanges"]["binance"]["link"] == "no prices of ETH/USDT, SOL/USDT: EOF"


def test_a_running_fleet_adds_what_is_no_fact() -> None:
    live = Live(actors=[actor(State.OPEN)])
    live.feeds["binance"] = FeedState("binance", Link.GAP, 30.0, 1, "EOF")
    live.alarms["a", "b", "c"] = Alarmed("orders:main", "b", "c", "look here")
    live.evaluated["dawn"] = Evaluated(
        "dawn",
        "main",
        SYMBOL,
        7,
        Outcome.REFUSED,
        None,
        "",
        "no_price",
        ("binance has no prices",),
        Decimal(0),
        59.0,
        0,
    )
    live.positions["dawn"] = PositionSeen(
        "dawn",
        "main",
        SYMBOL,
        "c1",
        Decimal(100),
        Decimal(1),
        Decimal(99),
        None,
        None,
        Decimal(102),
        Decimal("1.9"),
        is_exiting=False,
    )
    status = shown(CONNECTED, *BOUGHT, live=live)
    exchange, bot = status["exchanges"]["binance"], status["bots"]["dawn"]
    assert status["run"]["is_running"]
    assert (exchange["is_connected"], exchange["link"], exchange["for_s"]) == (
        False,
        "EOF",
        30.0,
    )
    assert bot["outcome"] == "refused no_price: binance has no prices"
    assert (bot["state"], bot["position"]["unrealized_pnl"]) == ("open", "1.90")
    assert status["alarms"] == ["look here"]


def test_a_live_view_and_the_ledger_tell_the_same_of_what_is_recorded() -> None:
    facts = (
        CONNECTED,
        *BOUGHT,
        HIT,
        sold(1, 97),
        CLOSED,
        supervised("ready", State.RUNNING),
    )
    live = shown(*facts, live=Live(actors=[actor(State.RUNNING)]))
    ledger = shown(*facts)
    live_bot, ledger_bot = live["bots"]["dawn"], ledger["bots"]["dawn"]
    assert ledger_bot.pop("state") == f"was {live_bot.pop('state')}"
    assert live_bot == ledger_bot
    assert (live["accounts"], live["prices"]) == (ledger["accounts"], ledger["prices"])
    assert live["run"]["seq"] == ledger["run"]["seq"]


def test_a_status_is_said_in_lines() -> None:
    facts = (CONNECTED, *BOUGHT, UNKNOWN, FleetStopped("run-1", "told to stop"))
    lines = status_lines(shown(*facts))
    assert lines[0].startswith("run run-1 · mode sim · ended: told to stop")
    assert any("holds 1 from 100" in line for line in lines)


STOP = exit_intended(
    intent_id="p1", stop_price=Decimal(98), limit_price=Decimal("97.5"), position_id="c1"
)


@pytest.mark.parametrize(
    ("facts", "where"),
    [
        ((), "stop 98 (not at the exchange)"),
        ((STOP, attempted("p1", "s1")), "stop 98 (not at the exchange)"),  # on its way
        (
            (STOP, attempted("p1", "s1"), Acknowledged("dawn", "main", SYMBOL, "s1", "v")),
            "stop 98 (at the exchange)",
        ),
        (
            (
                STOP,
                attempted("p1", "s1"),
                Acknowledged("dawn", "main", SYMBOL, "s1", "v"),
                StopMoved("dawn", "main", SYMBOL, "c1", Decimal(99), Decimal(101)),
            ),
            "stop 99 (at the exchange 98)",
        ),
        (
            (
                STOP,
                attempted("p1", "s1"),
                Acknowledged("dawn", "main", SYMBOL, "s1", "v"),
                ended(OrderStatus.CANCELED, order_id="s1"),
            ),
            "stop 98 (not at the exchange)",
        ),
    ],
)
def test_a_status_says_whether_the_exchange_holds_the_stop(
    facts: tuple[Fact, ...], where: str
) -> None:
    """Also after the fleet has stopped, when nothing else guards the position."""
    told = (CONNECTED, *BOUGHT, *facts, FleetStopped("run-1", "told to stop"))
    assert any(where in line for line in status_lines(shown(*told)))


def test_a_stop_that_comes_and_goes_is_not_the_last_that_a_bot_did() -> None:
    gone = ended(OrderStatus.CANCELED, order_id="s1")
    before = shown(*BOUGHT)["bots"]["dawn"]["outcome"]
    told = shown(*BOUGHT, STOP, attempted("p1", "s1"), gone)["bots"]["dawn"]
    assert told["outcome"] == before
    no = attrs.evolve(ended(OrderStatus.REJECTED, order_id="s1"), reason="no")
    told = shown(*BOUGHT, STOP, attempted("p1", "s1"), no)["bots"]["dawn"]
    assert told["outcome"] == "order s1 rejected: no"


def test_what_a_venue_says_forges_no_line_and_colours_no_screen() -> None:
    """S-14."""
    refused = attrs.evolve(
        ended(OrderStatus.REJECTED), reason="no\x1b[2J\nalarm: all is well"
    )
    lost = ExchangeDisconnected("binance", "bye\x1b[31m")
    shown = status_lines(status_of(model(STARTED, lost, *BOUGHT[:2], refused), 60_000))
    assert all(line.isprintable() for line in shown)
    assert "  last: order c1 rejected: no [2J alarm: all is well" in shown
