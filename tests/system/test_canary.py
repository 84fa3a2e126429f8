"""No secret is ever seen: on the screen, in the ledger, at the desk, in any file (I-23)."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, quote_plus

import httpx
import pytest

from actors.messages import ExchangeDisconnected, Filled, Supervised
from tests.system.fleet_desk import Desk, only, running_fleet, shoal, write_strategy
from tests.system.processes import CHURN, Sim, running_sim, write_live_fleet

KEY = "zq7KEY0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
SECRET = "zq7/SECRET+with=signs&more-than-plain"
KEYS = {"SHOAL_TEST_KEY": KEY, "SHOAL_TEST_SECRET": SECRET}
TELLS = CHURN.replace(
    "        kind =",
    """        self.asked = getattr(self, "asked", 0) + 1
        if self.asked == 4:
            import os
            key, secret = os.environ["SHOAL_TEST_KEY"], os.environ["SHOAL_TEST_SECRET"]
            raise RuntimeError(f"GET /?apiKey={key}&said={secret} {secret!r}")
        kind =""",
)
FAULTS = [
    {"kind": "garbage", "duration_s": 0.5},
    {"kind": "server_error", "duration_s": 1},
    {"kind": "rate_limit", "duration_s": 1, "connection": "rest"},
    {"kind": "lost_ack", "duration_s": 1},
    {"kind": "disconnect"},
    {"kind": "clock_skew", "duration_s": 2, "skew_ms": 120_000},
    {"kind": "refuse", "duration_s": 1},
]


@pytest.fixture(scope="module")
def remains(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    """All that a fleet with these keys and every kind of bad luck said and left."""
    home = tmp_path_factory.mktemp("remains")
    said: dict[str, bytes] = {}
    with running_sim("--key", f"{KEY}:{SECRET}") as sim:
        file = write_live_fleet(home, sim, bots=2)
        write_strategy(home, "churn", TELLS)
        file.write_text(file.read_text().replace("attempts = 5", "attempts = 2"))
        with running_fleet(
            file, "--live", "--log-format", "json", environment=KEYS
        ) as desk:
            suffer(desk, sim)
            said["status of the running fleet"] = told("status", "--json", str(file))
            assert desk.stop()[0] == 0
        wrong = {**KEYS, "SHOAL_TEST_SECRET": f"{SECRET}-wrong"}
        with running_fleet(file, "--live", environment=wrong) as desk:
            desk.wait_for_line("account:main        ", number=3)
            assert desk.stop()[0] == 0
    for command in (["status"], ["status", "--json"], ["log"], ["log", "--events"]):
        said[" ".join(command)] = told(*command, str(file))
    for path in (file.parent / "var").rglob("*"):
        if path.is_file():
            said[str(path.relative_to(home))] = path.read_bytes()
    said["screen"] = (home / "screen.log").read_bytes()
    return said


def suffer(desk: Desk, sim: Sim) -> None:
    desk.wait_for(Filled)
    for fault in FAULTS:
        with suppress(httpx.RemoteProtocolError):  # some cut this connection, too
            answer = httpx.post(f"{sim.rest_url}/simulator/faults", json=fault)
            assert answer.status_code == 200, answer.text
    desk.wait_for(ExchangeDisconnected)
    desk.wait_until(lambda: any("RuntimeError" in each for each in errors(desk)))
    desk.tell("crash", "account:main")
    desk.tell("crash", "orders:main")
    desk.wait_until(lambda: desk.actors()["orders:main"]["incarnation"] == 2)


def errors(desk: Desk) -> list[str]:
    return [fact.error for fact in only(Supervised, desk.facts())]


def told(*typed: str) -> bytes:
    done: subprocess.CompletedProcess[str] = shoal(*typed)
    assert done.returncode == 0, done.stderr
    return f"{done.stdout}{done.stderr}".encode()


def shapes(secret: str) -> dict[str, bytes]:
    """Return how a secret may look: as it is, and as others write it."""
    raw = secret.encode()
    texts = {
        "plain": secret,
        "in a URL": quote(secret),
        "in a query": quote(secret, safe=""),
        "in a form": quote_plus(secret),
        "in JSON": json.dumps(secret)[1:-1],
        "in base64": base64.b64encode(raw).decode().rstrip("="),
        "in a URL's base64": base64.urlsafe_b64encode(raw).decode().rstrip("="),
        "in hex": raw.hex(),
        "its beginning": secret[:12],
        "its end": secret[-24:],
    }
    return {name: text.encode() for name, text in texts.items()}


@pytest.mark.parametrize("secret", [KEY, SECRET], ids=["key", "secret"])
def test_no_secret_is_in_anything_that_was_said_or_written(
    remains: Mapping[str, bytes], secret: str
) -> None:
    found = [
        f"{name}, {shape}"
        for name, content in remains.items()
        for shape, text in shapes(secret).items()
        if text in content
    ]
    assert found == []


@pytest.mark.parametrize("place", ["screen", "log", "status of the running fleet"])
def test_what_was_hidden_there_was_on_its_way(
    remains: Mapping[str, bytes], place: str
) -> None:
    assert b"GET /?apiKey=***&said=***" in remains[place]


def test_there_was_much_to_look_at(remains: Mapping[str, bytes]) -> None:
    assert {"var/live/ledger.db", "var/current", "screen", "log --events"} <= remains.keys()
    assert len(remains["var/live/ledger.db"]) > 50_000
    assert Path("var/lock").name in {Path(name).name for name in remains}
