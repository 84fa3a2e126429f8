"""Mode "paper": a real fleet on the prices of an exchange that never hears of its orders.

The exchange is `shoal sim` in a process of its own, over the wire; no key of it is known.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from actors import exit_codes
from actors.messages import (
    Acknowledged,
    Ended,
    Filled,
    Intended,
    OrderStatus,
    Reconciled,
)
from actors.ports_store import Query
from actors.pure.paper_words import PaperFilled, PaperPlaced, decode
from adapters.files import StateUnusable
from adapters.sqlite.writer import LedgerFile
from tests.system.fleet_desk import ROOT, only, running_fleet, shoal, write_strategy
from tests.system.processes import CHURN, Sim, running_sim

BOT = """
[[bots]]
name = "{name}"
account = "main"
symbol = "BTC/USDT"
strategy = "churn:Churn"
capital = 10_000
position_percent = 10
evaluate_s = 0.3
"""
KILLS = int(os.environ.get("SHOAL_KILLS", "1"))
RESTING = 'order = "limit_maker"\nlimit_offset_percent = 20\n'
# Whoever makes a signer, of whichever exchange, ends the program.
NO_SIGNER = """
import importlib, pathlib, sys
def forbid(*_): raise SystemExit("a signer was made")
for path in sorted(pathlib.Path("adapters").glob("*/sign.py")):
    module = importlib.import_module(f"adapters.{path.parent.name}.sign")
    for name, kind in vars(module).items():
        if isinstance(kind, type) and kind.__module__ == module.__name__:
            kind.__init__ = forbid
            print("forbidden:", module.__name__, name)
from actors.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def sim() -> Iterator[Sim]:
    with running_sim() as running:
        yield running


def write_paper_fleet(
    home: Path,
    sim: Sim,
    *,
    more: str = "",
    mode: str = "paper",
    exchange: str = "binance",
) -> Path:
    write_strategy(home, "churn", CHURN)
    path = home / "bots.toml"
    path.write_text(f"""
mode = "{mode}"
state = "var"

[exchanges.{exchange}]
url = "{sim.url}"
rest_url = "{sim.rest_url}"
ws_api_url = "{sim.ws_api_url}"
send_keys_to_this_host = true
taker_fee_percent = 0.2

[accounts.main]
exchange = "{exchange}"
key = "env:SHOAL_TEST_ABSENT"
secret = "env:SHOAL_TEST_ABSENT"
{BOT.format(name="churn")}{more}""")
    return path


def paper_rows(home: Path) -> list[object]:
    """Return what the paper account's own file says."""
    file = LedgerFile(home / "var" / "paper" / "paper-main.db", {"mode": "paper"})
    try:
        reading = file.read(Query(None, None, None))
        rows = [*reading.first]
        while not reading.is_finished:
            rows += reading.more()
        return [decode(row.kind, row.body) for row in rows]
    finally:
        file.close()


@pytest.mark.parametrize("exchange", ["binance", "coinbase", "kraken"])
def test_orders_are_filled_here_and_the_exchange_never_hears_of_one(
    tmp_path: Path, exchange: str
) -> None:
    with running_sim("--exchange", exchange) as sim:
        file = write_paper_fleet(tmp_path, sim, exchange=exchange)
        with running_fleet(file) as desk:
            desk.wait_for(Filled, 4)
            status = desk.status()
            exit_code, _ = desk.stop()
        truth = sim.truth()

    facts = desk.facts()
    fills = only(Filled, facts)
    assert (exit_code, status["run"]["mode"]) == (exit_codes.OK, "paper")
    assert truth["orders_taken"] == 0
    bought = fills[0]
    assert (bought.fee_asset, bought.fee >= bought.base * 2 / 1000) == ("BTC", True)
    assert [each.trade_id for each in fills] == [
        str(each.trade_id) for each in paper_rows(tmp_path)
        if isinstance(each, PaperFilled)
    ]  # fmt: skip
    assert [each.drifts for each in only(Reconciled, facts) if each.drifts] == []


def test_every_line_says_paper_and_what_is_not_read(tmp_path: Path, sim: Sim) -> None:
    file = write_paper_fleet(tmp_path, sim)
    with running_fleet(file) as desk:
        desk.wait_for(Filled)
        status = shoal("status", str(file)).stdout
        desk.stop()

    timed = [line for line in desk.said().splitlines() if re.match(r"\d\d:\d\d:\d\d", line)]
    assert [line for line in timed if line.split()[1] != "paper"] == []
    assert "mode paper" in status
    assert "no order leaves this machine · a new account begins with 10000 USDT" in (
        desk.said()
    )
    assert "its key and secret are not read" in desk.said()
    told = [json.loads(line) for line in _json_lines(file)]
    assert {line["mode"] for line in told} == {"paper"}


def _json_lines(file: Path) -> list[str]:
    done = shoal("run", str(file), "--for", "1", "--log-format", "json")
    return done.stdout.splitlines()


def test_kill_nine_loses_no_resting_order_and_books_no_fill_twice(
    tmp_path: Path, sim: Sim
) -> None:
    file = write_paper_fleet(tmp_path, sim, more=BOT.format(name="patient") + RESTING)
    with running_fleet(file) as desk:
        desk.wait_for(Filled, 3)
        desk.wait_until(lambda: len(patient_orders(desk.facts())) == 1)
        (resting,) = patient_orders(desk.facts())
        desk.signal(signal.SIGKILL)
        desk.end()
    before = paper_rows(tmp_path)

    for _ in range(KILLS):
        with running_fleet(file) as desk:
            fills = len(only(Filled, desk.facts()))
            desk.wait_for(Filled, fills + 2)
            desk.signal(signal.SIGKILL)
            desk.end()

    facts, rows = desk.facts(), paper_rows(tmp_path)
    placed = [each.request.client_order_id for each in rows
              if isinstance(each, PaperPlaced)]  # fmt: skip
    assert patient_orders(facts) == [resting]
    assert placed.count(resting) == 1
    assert rows[: len(before)] == before
    assert len(placed) == len(set(placed))
    booked = {each.trade_id for each in only(Filled, facts)}
    told = [str(each.trade_id) for each in rows if isinstance(each, PaperFilled)]
    assert len(told) == len(set(told))
    assert booked <= set(told)
    assert [each.drifts for each in only(Reconciled, facts) if each.drifts] == []


def patient_orders(facts: Sequence[object]) -> list[str]:
    """Return the acknowledged orders of the patient bot that have not ended."""
    ended = {each.client_order_id for each in only(Ended, facts)}
    return [
        each.client_order_id
        for each in only(Acknowledged, facts)
        if each.bot == "patient" and each.client_order_id not in ended
    ]


def test_a_post_only_order_rests_at_its_price(tmp_path: Path, sim: Sim) -> None:
    more = BOT.format(name="patient") + RESTING
    with running_fleet(write_paper_fleet(tmp_path, sim, more=more)) as desk:
        desk.wait_until(lambda: len(patient_orders(desk.facts())) == 1)
        code, _ = desk.stop()

    (intended,) = [each for each in only(Intended, desk.facts()) if each.bot == "patient"]
    ended = [each for each in only(Ended, desk.facts()) if each.bot == "patient"]
    assert code == exit_codes.OK
    assert intended.order_type.value == "limit_maker"
    assert [each.status for each in ended] == [OrderStatus.CANCELED]  # told to stop


def test_no_signer_is_made(tmp_path: Path, sim: Sim) -> None:
    """R-44; that the same program makes one in mode "live" shows that it would be seen."""
    paper = run_without_signers(write_paper_fleet(tmp_path, sim))
    assert paper.returncode == exit_codes.OK, paper.stdout + paper.stderr
    assert "forbidden: adapters.binance.sign Signer" in paper.stdout
    live = write_paper_fleet(tmp_path, sim, mode="live")
    text = live.read_text().replace("env:SHOAL_TEST_ABSENT", "env:PATH")
    live.write_text(text)
    assert "a signer was made" in run_without_signers(live, "--live").stderr


def run_without_signers(file: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-c", NO_SIGNER, "run", str(file), "--for", "4", *more],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_a_paper_ledger_is_of_one_mode_and_a_paper_account_of_one_exchange(
    tmp_path: Path, sim: Sim
) -> None:
    """S-15."""
    file = write_paper_fleet(tmp_path, sim)
    assert shoal("run", str(file), "--for", "1").returncode == exit_codes.OK
    paper = tmp_path / "var" / "paper"
    with pytest.raises(StateUnusable, match="the ledger of mode paper, not live"):
        LedgerFile(paper / "ledger.db", {"mode": "live"})
    with pytest.raises(StateUnusable, match="of exchange binance, not kraken"):
        LedgerFile(paper / "paper-main.db", {"mode": "paper", "exchange": "kraken"})
