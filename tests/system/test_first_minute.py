"""The shipped fleet's first minute, thrice as fast: log, status and ledger tell one story.

Prices, signals, orders, fills, a position closed by a stop or a target, a cut feed and a
crashed bot that recover, and an orderly end. `SHOAL_SPEED=1` plays it as it is shipped.
"""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs
import msgspec
import pytest

from tests.system.fleet_desk import ROOT, Desk, running_fleet, shoal

SPEED = float(os.environ.get("SHOAL_SPEED", "3"))
SCRIPT_S = 40.0  # as shipped: the crash is at 36 s
ACTORS = [
    "journal",
    "simulator",
    "clock",
    "catalogue:binance",
    "feed:binance",
    "fallback:binance",
    "account:main",
    "risk:main",
    "orders:main",
    "positions:main",
    "bots",
    "board",
]
BOTS = ["btc-scalper", "btc-trend", "eth-scalper", "eth-trend"]
HITS = ("stop_loss_hit", "take_profit_hit")
CONNECTION = ("exchange_connected", "exchange_disconnected", "exchange_reconnecting")
LINE = re.compile(r"^(\d\d:\d\d:\d\d\.\d\d\d)  (\S+) +(.*)$")
DAY = re.compile(r"\d{4}-\d\d-\d\d UTC")

Event = Mapping[str, Any]


@attrs.frozen
class Minute:
    """All that could be seen of one run."""

    screen: Sequence[tuple[str, str]]  # actor, words
    running: Mapping[str, Any]  # the status before the end
    exit_code: int
    stop_s: float
    log: Sequence[tuple[str, str]]
    events: Sequence[Event]
    status: Mapping[str, Any]
    status_text: str

    def of(self, *types: str) -> list[Event]:
        return [event for event in self.events if event["type"] in types]


@pytest.fixture(scope="module")
def minute(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Minute]:
    home = tmp_path_factory.mktemp("first-minute")
    file = home / "bots.toml"
    file.write_text(faster((ROOT / "bots.toml").read_text()))
    with running_fleet(file) as desk:
        desk.wait_for_line("up in")
        time.sleep(SCRIPT_S / SPEED)
        running = desk.status()
        exit_code, stop_s = desk.stop()
        yield seen(desk, running, exit_code, stop_s)


def faster(text: str) -> str:
    """Return the shipped file with its script played SPEED times as fast."""

    def scaled(found: re.Match[str]) -> str:
        return f"{found[1]} = {float(found[2]) / SPEED}"

    head, script = text.split("[simulator]")
    scaled_script = re.sub(r"\b(at_s|duration_s|phases_every_s) = (\d+)", scaled, script)
    return f"{head}[simulator]{scaled_script}"


def seen(desk: Desk, running: Mapping[str, Any], exit_code: int, stop_s: float) -> Minute:
    file = str(desk.file)
    told = shoal("log", "--events", file)
    assert (told.returncode, told.stderr) == (0, "")
    return Minute(
        lines(desk.said()),
        running,
        exit_code,
        stop_s,
        lines(shoal("log", file).stdout),
        [msgspec.json.decode(line) for line in told.stdout.splitlines()],
        desk.status(),
        shoal("status", file).stdout,
    )


def lines(text: str) -> list[tuple[str, str]]:
    found = [LINE.match(line) for line in text.splitlines() if not DAY.fullmatch(line)]
    assert all(found), text
    return [(match[2], match[3]) for match in found if match]


def saying(told: Sequence[tuple[str, str]], words: str) -> list[str]:
    """Return the actors that said these words, in order; some have more to say."""
    return [actor for actor, said in told if said.partition(" · ")[0] == words]


@pytest.fixture(params=["screen", "log"])
def told(request: pytest.FixtureRequest, minute: Minute) -> Sequence[tuple[str, str]]:
    return getattr(minute, request.param)


def test_every_actor_gets_ready_from_top_to_bottom(
    told: Sequence[tuple[str, str]],
) -> None:
    ready = saying(told, "ready")
    assert [actor for actor in ready if not actor.startswith("bot:")] == ACTORS
    assert sorted(actor for actor in ready if actor.startswith("bot:")) == [
        f"bot:{name}" for name in BOTS
    ]


def test_a_signal_ends_it_in_order_within_five_seconds(minute: Minute) -> None:
    assert minute.exit_code == 0
    assert minute.stop_s < 5


def test_it_stops_from_bottom_to_top(told: Sequence[tuple[str, str]]) -> None:
    for words in ("stopping", "stopped"):
        stopped = [actor for actor in saying(told, words) if not actor.startswith("bot:")]
        assert stopped == ACTORS[::-1]


@pytest.mark.parametrize(
    "what",
    [
        "fleet_started",
        "price_update",
        "signal_generated",
        "order_created",
        "order_filled",
        "order_completed",
        "position_opened",
        "position_closed",
        "exchange_connected",
        "exchange_disconnected",
        "exchange_reconnecting",
        "reconciled",
        "clock_measured",
        "fleet_stopped",
    ],
)
def test_the_story_has(minute: Minute, what: str) -> None:
    assert minute.of(what)


def test_a_position_was_closed_by_a_stop_or_a_target(minute: Minute) -> None:
    hits = {hit["data"]["position_id"] for hit in minute.of(*HITS)}
    closed = {
        event["data"]["position_id"]: event["data"]["exit_reason"]
        for event in minute.of("position_closed")
    }
    assert any(
        position in closed and closed[position] in {"stop_loss", "take_profit"}
        for position in hits
    )


def test_the_cut_feed_recovered(minute: Minute) -> None:
    connection = [event["type"] for event in minute.of(*CONNECTION)]
    assert connection == [
        "exchange_connected",
        "exchange_disconnected",
        "exchange_reconnecting",
        "exchange_connected",
    ]
    assert minute.running["exchanges"]["binance"]["is_connected"] is True


def test_the_crashed_bot_recovered_and_nobody_else_noticed(minute: Minute) -> None:
    lives = {actor["path"]: actor["incarnation"] for actor in minute.running["actors"]}
    assert {path: life for path, life in lives.items() if life != 1} == {
        "bots/bot:eth-trend": 2
    }
    states = {actor["state"] for actor in minute.running["actors"]}
    assert states == {"RUNNING"}
    assert any(
        actor == "bot:eth-trend" and "CrashInjected" in said and "starts again in" in said
        for actor, said in minute.log
    )


SIGNAL = {"type", "strength", "confidence", "reasons", "indicators"}
FIELDS = {
    "price_update": {"exchange", "symbol", "price", "bid", "ask", "volume", "timestamp"},
    "signal_generated": {"signal"},
    "order_created": {"order_id", "signal", "size", "strategy", "notes"},
    "order_filled": {"order_id", "signal", "size", "price", "base", "fee"},
    "stop_loss_hit": {"position_id", "symbol", "exit_price", "pnl"},
    "take_profit_hit": {"position_id", "symbol", "exit_price", "pnl"},
    "position_closed": {"position_id", "exit_reason", "exit_price", "pnl", "notes"},
    "exchange_connected": {"exchange", "attempt"},
    "exchange_disconnected": {"exchange", "attempt"},
    "exchange_reconnecting": {"exchange", "attempt"},
}


def test_every_event_has_the_five_fields(minute: Minute) -> None:
    execution = minute.running["run"]["execution"]
    for event in minute.events:
        assert event.keys() == {"type", "bot", "execution_id", "timestamp", "data"}
        assert event["execution_id"] == execution
        assert event["bot"] in {"", *BOTS}
        assert abs(event["timestamp"] / 1000 - time.time()) < 600


@pytest.mark.parametrize("what", FIELDS)
def test_the_data_of_an_event_have_the_fields_of_the_plan(
    minute: Minute, what: str
) -> None:
    for event in minute.of(what):
        assert FIELDS[what] <= event["data"].keys()


def test_a_price_update_is_what_a_bot_saw(minute: Minute) -> None:
    for event in minute.of("price_update"):
        data = event["data"]
        assert data.keys() == FIELDS["price_update"]
        assert 0 < Decimal(data["bid"]) < Decimal(data["ask"])
        assert Decimal(data["volume"]) > 0
        assert abs(data["timestamp"] - event["timestamp"]) < 60_000


def test_a_signal_says_why(minute: Minute) -> None:
    for event in minute.of("signal_generated"):
        signal = event["data"]["signal"]
        assert signal.keys() == SIGNAL
        assert signal["type"] in {"BUY", "SELL", "HOLD"}
        assert signal["reasons"]
        assert 0 <= signal["strength"] <= 1
        assert 0 <= signal["confidence"] <= 1


def test_an_order_says_signal_and_size_in_quote(minute: Minute) -> None:
    sizes = {"btc-scalper": 1000, "btc-trend": 2000, "eth-scalper": 500, "eth-trend": 1000}
    bought = [
        event for event in minute.of("order_created") if event["data"]["signal"] == "BUY"
    ]
    assert bought
    for event in bought:
        most = sizes[event["bot"]]  # capital * position_percent / 100, down to the lot
        assert 0.99 * most < float(event["data"]["size"]) <= most
        assert event["data"]["notes"] == f"Bot: {event['bot']} | Signal: BUY"


def test_every_order_that_was_filled_had_been_created(minute: Minute) -> None:
    created = [event["data"]["order_id"] for event in minute.of("order_created")]
    filled = {event["data"]["order_id"] for event in minute.of("order_filled")}
    assert len(set(created)) == len(created)
    assert filled <= set(created)


def test_status_tells_the_same_story_as_the_events(minute: Minute) -> None:
    shown = {
        name: {key: bot[key] for key in ("orders", "fills", "closed", "pnl", "signals")}
        for name, bot in minute.status["bots"].items()
    }
    assert shown == {name: told_of(minute, name) for name in BOTS}
    assert sum(bot["orders"] for bot in shown.values()) > 0


def told_of(minute: Minute, bot: str) -> Mapping[str, Any]:
    """Return what the events say of one bot."""
    mine = [event for event in minute.events if event["bot"] == bot]
    count = Counter(event["type"] for event in mine)
    results = [
        Decimal(event["data"]["pnl"])
        for event in mine
        if event["type"] == "position_closed"
    ]
    return {
        "orders": count["attempted"],
        "fills": count["order_filled"],
        "closed": count["position_closed"],
        "pnl": f"{sum(results, Decimal(0)):.2f}",
        "signals": count["signal_generated"],
    }


def test_status_holds_what_the_fills_leave(minute: Minute) -> None:
    for name, bot in minute.status["bots"].items():
        opened = [
            event["data"]["position_id"]
            for event in minute.of("position_opened")
            if event["bot"] == name
        ]
        closed = {event["data"]["position_id"] for event in minute.of("position_closed")}
        is_open = bool(opened) and opened[-1] not in closed
        assert (bot["position"] is not None) == is_open
        if bot["position"] is not None:
            assert Decimal(bot["position"]["base"]) == held(minute, name)


def held(minute: Minute, bot: str) -> Decimal:
    base = Decimal(0)
    for event in minute.of("order_filled"):
        data = event["data"]
        if event["bot"] == bot:
            base += Decimal(data["base"]) * (1 if data["side"] == "buy" else -1)
            if data["symbol"].startswith(data["fee_asset"]):
                base -= Decimal(data["fee"])
    return base


def test_status_says_how_it_ended(minute: Minute) -> None:
    run = minute.status["run"]
    assert minute.running["run"]["is_running"] is True
    assert (run["is_running"], run["ended"], run["restarts"]) == (False, "told to stop", 1)
    assert run["seq"] == len(minute.log)
    assert minute.status_text.startswith(
        f"run {run['execution']} · mode sim · ended: told to stop · 1 restart ·"
    )


def test_the_log_tells_every_fill(minute: Minute) -> None:
    fills = [said for actor, said in minute.log if actor == "account:main"]
    filled = [said for said in fills if " bought " in said or " sold " in said]
    assert len(filled) == len(minute.of("order_filled"))


def test_no_number_on_the_screen_ends_in_idle_zeros(minute: Minute) -> None:
    assert not [said for _, said in minute.screen if re.search(r"\.\d*[1-9]0{3,}\b", said)]
    assert not re.search(r"\.\d*0{4,}\b", minute.status_text)
