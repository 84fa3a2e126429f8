"""What compares a ledger with the exchange sees each way in which they can differ."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from actors.messages import Fact, OrderStatus
from actors.ports_store import Row
from actors.pure.facts import encode, kind_of
from adapters.sqlite.writer import LedgerFile
from adapters.state import LEDGER, remember_run, run_folder
from tests.system.ledger_view import LedgerView
from tests.words import SYMBOL, attempted, ended, filled, intended

ID, STOP = "c1", "s1"
Truth = dict[str, Any]


def order(kind: str, side: str, base: str, *trades: int, is_open: bool) -> Truth:
    return {
        "symbol": SYMBOL,
        "side": side,
        "type": kind,
        "status": "NEW" if is_open else "FILLED",
        "is_open": is_open,
        "base": base,
        "filled_base": "0" if is_open else base,
        "fills": [{"trade_id": trade} for trade in trades],
    }


def truth() -> Truth:
    """Return an exchange that agrees: bought at the market, and a stop for all of it."""
    orders = {
        ID: order("MARKET", "buy", "1", 1, is_open=False),
        STOP: order("STOP_LOSS_LIMIT", "sell", "1", is_open=True),
    }
    return {"orders": {"key1": orders}, "placed_twice": [], "asked_twice": []}


@pytest.fixture
def view(tmp_path: Path) -> LedgerView:
    facts: list[Fact] = [
        intended(),
        attempted(),
        filled(1, 100, trade_id="1"),
        ended(OrderStatus.FILLED, "1"),
        intended(intent_id="i2"),
        attempted("i2", STOP),
    ]
    folder = run_folder(tmp_path, "live", "e")
    file = LedgerFile(folder / LEDGER, {})
    file.append(
        [
            Row(kind_of(type(it)), None, "dawn", "main", SYMBOL, 1, 2, encode(it))
            for it in facts
        ]
    )
    file.close()
    remember_run(tmp_path, folder)
    return LedgerView(tmp_path)


def test_agreement_is_nothing_to_say(view: LedgerView) -> None:
    assert view.differences(truth()) == []


def twice(there: Truth) -> None:
    there["placed_twice"].append(ID)


def foreign(there: Truth) -> None:
    there["orders"]["key1"]["x1"] = order("MARKET", "buy", "1", 7, is_open=False)


def gone(there: Truth) -> None:
    del there["orders"]["key1"][ID]


def more_trades(there: Truth) -> None:
    there["orders"]["key1"][ID]["fills"].append({"trade_id": 2})


def still_open(there: Truth) -> None:
    there["orders"]["key1"][ID]["is_open"] = True


def smaller_stop(there: Truth) -> None:
    there["orders"]["key1"][STOP]["base"] = "0.5"


def larger_stop(there: Truth) -> None:
    there["orders"]["key1"][STOP]["base"] = "1.5"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (twice, "c1 was placed twice"),
        (foreign, "x1 is disowned"),
        (gone, "c1: OrderStatus.FILLED here, unknown there"),
        (more_trades, "c1: trades {'1'} here, "),
        (still_open, "c1: OrderStatus.FILLED here, open there"),
        (smaller_stop, "dawn: 0.5 BTC/USDT without a stop"),
        (larger_stop, "dawn: stops sell 1.5 BTC/USDT, it holds 1"),
    ],
)
def test_each_difference_is_seen(
    view: LedgerView, change: Callable[[Truth], None], said: str
) -> None:
    there = truth()
    change(there)
    (found,) = view.differences(there)
    assert found.startswith(said)
