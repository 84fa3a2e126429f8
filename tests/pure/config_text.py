"""A small good `bots.toml` for tests to spoil, and what is said about the result."""

from __future__ import annotations

from actors.pure.config import Problems, load

BASE = """\
mode = "sim"
[accounts.main]
exchange = "binance"
key = "env:KEY"
secret = "env:SECRET"
[[bots]]
name = "one"
account = "main"
symbol = "BTC/USDT"
strategy = "ema_cross"
capital = 10_000
position_percent = 10
"""


def said(text: str) -> list[str]:
    answer = load(text, "bots.toml")
    return str(answer).splitlines() if isinstance(answer, Problems) else []


def changed(old: str, new: str) -> str:
    assert old in BASE
    return BASE.replace(old, new)
