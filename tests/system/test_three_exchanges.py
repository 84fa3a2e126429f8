"""The shipped example, as a user runs it: bots on three simulated exchanges at once."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from actors.messages import ExchangeConnected, Filled, Intended
from actors.pure.config_endpoints import ENDPOINTS
from tests.system.fleet_desk import ROOT, only, running_fleet, shoal

EXAMPLE = ROOT / "docs" / "three-exchanges.toml"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Run it until each exchange has a price and something was bought."""
    file = Path(shutil.copy(EXAMPLE, tmp_path_factory.mktemp("example")))
    with running_fleet(file) as desk:
        desk.wait_for(ExchangeConnected, len(ENDPOINTS))
        desk.wait_until(lambda: len(desk.now().get("prices", ())) >= 3)
        desk.wait_for(Filled)
        status, text = desk.now(), shoal("status", str(file)).stdout
        code, _ = desk.stop()
        return {"status": status, "text": text, "code": code, "facts": desk.facts()}


def test_every_exchange_is_connected(run: dict[str, Any]) -> None:
    connected = {fact.exchange for fact in only(ExchangeConnected, run["facts"])}
    assert connected == set(ENDPOINTS)


def test_every_exchange_has_a_price_of_its_own(run: dict[str, Any]) -> None:
    names = {"binance:BTC/USDT", "coinbase:BTC/USD", "kraken:BTC/USD"}
    assert run["status"]["prices"].keys() == names


def test_status_names_the_exchange_of_each_bot(run: dict[str, Any]) -> None:
    lines = [line for line in run["text"].splitlines() if line.startswith("bot ")]
    assert [line.split("  ")[1] for line in lines] == [
        "BTC/USDT at binance",
        "BTC/USD at coinbase",
        "BTC/USD at kraken",
    ]


def test_orders_and_fills_are_kept_by_exchange(run: dict[str, Any]) -> None:
    facts = (*only(Intended, run["facts"]), *only(Filled, run["facts"]))
    assert len(facts) >= 2
    assert {f"at-{fact.exchange}" == fact.account for fact in facts} == {True}


def test_it_stops_in_order(run: dict[str, Any]) -> None:
    assert run["code"] == 0
