"""An arbitrage between two simulated exchanges, each with a server of its own."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from actors import exit_codes
from actors.messages import (
    Attempted,
    Fact,
    Filled,
    Halted,
    Intended,
    LegsIntended,
    LegsSettled,
    Side,
)
from tests.system.fleet_desk import Desk, only, running_fleet
from tests.system.processes import Sim, running_sim

PAIR = """
[accounts.main]
exchange = "binance"
[accounts.second]
exchange = "kraken"

[[bots]]
name = "pair"
type = "arbitrage"
account = "main"
symbol = "BTC/USDT"
other = "pair-far"
profit_percent = {profit}
inventory_percent = 40
capital = 10_000
position_percent = 1

[[bots]]
name = "pair-far"
type = "leg"
account = "second"
symbol = "BTC/USDT"
inventory_percent = 40
capital = 10_000
position_percent = 1
"""
SIMULATED = """
mode = "sim"
state = "var"
[simulator]
ticker_ms = 200
[simulator.exchanges.kraken]
prices = { "BTC/USDT" = 61_000 }
"""
REFUSED = """
[[simulator.faults]]
kind = "rate_limit"
exchange = "kraken"
after_orders = 1
duration_s = 600
"""
KILLS = int(os.environ.get("SHOAL_KILLS", "3"))


def write_pair(home: Path, head: str, *, profit: str) -> Path:
    file = home / "bots.toml"
    file.write_text(head + PAIR.format(profit=profit))
    return file


def test_both_exchanges_are_traded_and_each_group_is_matched(tmp_path: Path) -> None:
    """Over a crash of the actor that decides for both, too."""
    with running_fleet(write_pair(tmp_path, SIMULATED, profit="0.3")) as desk:
        desk.wait_until(lambda: has_traded(desk.facts(), life=1))
        desk.tell("crash", "bots/bot:pair")
        desk.wait_until(lambda: has_traded(desk.facts(), life=2))
        assert "pair, which decides for it, begins nothing" in desk.tell("stop", "pair-far")
        code, _ = desk.stop()

    facts = desk.facts()
    settled = only(LegsSettled, facts)
    assert code == exit_codes.OK
    assert [each.reason for each in settled if not each.is_matched] == []
    assert only(Halted, facts) == []
    for group in only(LegsIntended, facts):
        assert (group.buy.exchange, group.sell.exchange) == ("binance", "kraken")
        orders = places_of(facts, group.buy.intent_id, group.sell.intent_id)
        assert all(facts.index(group) < place for place in orders)
    last = {fill.exchange: fill.side for fill in only(Filled, facts)}
    assert last == {"binance": Side.BUY, "kraken": Side.SELL}


def has_traded(facts: Sequence[Fact], *, life: int) -> bool:
    """Whether a group that this life began has bought and is settled.

    One that came too late, or was begun just before the crash, trades nothing.
    """
    return any(
        f"/bot:pair/{life}/" in each.group_id and each.bought > 0
        for each in only(LegsSettled, facts)
    )


def places_of(facts: Sequence[Fact], *intent_ids: str) -> list[int]:
    """Return where the orders of these intents stand in the ledger."""
    return [
        number
        for number, fact in enumerate(facts)
        if isinstance(fact, Intended) and fact.intent_id in intent_ids
    ]


def test_a_sale_that_is_refused_is_hedged_and_the_bots_are_halted(tmp_path: Path) -> None:
    """Kraken takes the inventory's order, and after that one nothing."""
    head = SIMULATED + REFUSED
    with running_fleet(write_pair(tmp_path, head, profit="0.3")) as desk:
        desk.wait_for(LegsSettled)
        alarms = desk.now()["alarms"]
        desk.stop()

    facts = desk.facts()
    (settled,) = only(LegsSettled, facts)
    assert settled.bought > 0
    assert (settled.sold, settled.is_matched) == (0, False)
    assert settled.bought - settled.hedged < settled.bought / 100  # the fee is in coins
    halts = [(each.bot, each.code) for each in only(Halted, facts)]
    assert halts == [("pair", "legs"), ("pair-far", "legs")]
    assert any("do not match" in alarm for alarm in alarms)


@pytest.fixture
def exchanges() -> Iterator[tuple[Sim, Sim]]:
    with ExitStack() as stack:
        here = stack.enter_context(running_sim("--seed", "1"))
        there = stack.enter_context(running_sim("--seed", "2", "--exchange", "kraken"))
        yield here, there


def on_paper(here: Sim, there: Sim) -> str:
    """Return a head whose fleet trades on paper between two exchanges that go on."""
    text = 'mode = "paper"\nstate = "var"\n'
    for name, sim in (("binance", here), ("kraken", there)):
        text += f"""
[exchanges.{name}]
url = "{sim.url}"
rest_url = "{sim.rest_url}"
ws_api_url = "{sim.ws_api_url}"
send_keys_to_this_host = true
taker_fee_percent = 0
"""
    return text


def test_kill_nine_in_the_middle_leaves_no_group_without_its_answer(
    tmp_path: Path, exchanges: tuple[Sim, Sim]
) -> None:
    """Killed as soon as a group was begun, again and again; the last run answers."""
    file = write_pair(tmp_path, on_paper(*exchanges), profit="0.0001")
    for _ in range(KILLS):
        with running_fleet(file) as desk:
            begin_a_group(desk)
            desk.signal(signal.SIGKILL)
            desk.end()
    with running_fleet(file) as desk:
        desk.wait_until(lambda: not unsettled(desk.facts()))
        desk.signal(signal.SIGKILL)
        desk.end()

    facts = desk.facts()
    assert len(only(LegsIntended, facts)) >= KILLS
    intents = [each.intent_id for each in only(Intended, facts)]
    attempts = [each.intent_id for each in only(Attempted, facts)]
    assert len(intents) == len(set(intents))
    assert len(attempts) == len(set(attempts))
    for settled in only(LegsSettled, facts):
        group = settled.group_id
        bought = filled_base(facts, f"{group}/buy")
        sold = filled_base(facts, f"{group}/sell")
        assert (settled.bought, settled.sold) == (bought, sold)
        assert settled.is_matched == (bought == sold)


def begin_a_group(desk: Desk) -> None:
    """Wait for the answer to the group before, lift what it halted, wait for the next."""
    desk.wait_until(lambda: not unsettled(desk.facts()))
    known = len(only(LegsIntended, desk.facts()))
    if only(Halted, desk.facts()):
        desk.wait_until(lambda: bool(desk.now()))
        desk.tell("resume", "pair")
        desk.tell("resume", "pair-far")
    desk.wait_until(lambda: len(only(LegsIntended, desk.facts())) > known)


def unsettled(facts: Sequence[Fact]) -> list[str]:
    """Return the groups that have no answer."""
    ends = {each.group_id for each in only(LegsSettled, facts)}
    groups = [each.group_id for each in only(LegsIntended, facts)]
    return [each for each in groups if each not in ends]


def filled_base(facts: Sequence[Fact], intent_id: str) -> object:
    ids = {each.client_order_id for each in only(Attempted, facts)
           if each.intent_id == intent_id}  # fmt: skip
    return sum(each.base for each in only(Filled, facts) if each.client_order_id in ids)
