"""What an arbitrage and its leg may say in `bots.toml`."""

from __future__ import annotations

import pytest

from actors.pure.config import Config, load
from tests.pure.config_text import said

PAIR = """mode = "paper"
[accounts.main]
exchange = "binance"
[accounts.second]
exchange = "kraken"
[[bots]]
name = "pair"
type = "arbitrage"
account = "main"
symbol = "BTC/USDT"
other = "far"
profit_percent = 0.3
inventory_percent = 40
capital = 10_000
position_percent = 10
[[bots]]
name = "far"
type = "leg"
account = "second"
symbol = "BTC/USDT"
capital = 10_000
position_percent = 10
"""


def told(old: str, new: str) -> list[str]:
    """Return what is said of the pair with a part of it replaced, but of exchanges."""
    assert old in PAIR
    lines = said(PAIR.replace(old, new, 1))
    return [line for line in lines if "not available yet" not in line]


def test_a_good_pair_is_good() -> None:
    assert told("0.3", "0.4") == []
    config = load(PAIR.replace("kraken", "binance"), "bots.toml")
    assert not isinstance(config, Config)  # both legs on one exchange


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('other = "far"\n', "",
         'bots.toml:6: bots[0].other: must be the name of a bot of type "leg"; known: far'),
        ('other = "far"', 'other = "fat"',
         'bots.toml:11: bots[0].other: must be the name of a bot of type "leg"; did you '
         "mean far?"),
        ('profit_percent = 0.3\n', "",
         "bots.toml:6: bots[0].profit_percent: missing; must be a percentage"),
        ('exchange = "kraken"', 'exchange = "binance"',
         "bots.toml:11: bots[0].other: far is on binance, too: nothing to earn"),
        ('exchange = "kraken"', 'exchange = "kraken"\nowner = "ann"',
         "bots.toml:12: bots[0].other: far is ann's, and this is me's"),
        ("inventory_percent = 40", "inventory_percent = 95",
         "bots.toml:13: bots[0].inventory_percent: with position_percent it is 105 % of "
         "capital, which is more than all"),
        ('type = "arbitrage"', 'type = "arbitrage"\nstrategy = "ema_cross"',
         'bots.toml:9: bots[0].strategy: has no meaning with type = "arbitrage"; remove '
         "it"),
        ('type = "leg"', 'type = "leg"\nprofit_percent = 1',
         'bots.toml:19: bots[1].profit_percent: has no meaning with type = "leg"; remove '
         "it"),
        ('type = "leg"', 'type = "trading"',
         'bots.toml:16: bots[1].strategy: missing; must be the name of a strategy, or '
         '"module:Class"'),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said(old: str, new: str, line: str) -> None:
    assert line in told(old, new)


def test_the_legs_must_trade_one_symbol() -> None:
    other = PAIR.replace('"BTC/USDT"\ncapital', '"BTC/USDC"\ncapital', 1)
    assert "bots.toml:11: bots[0].other: far trades BTC/USDC, not BTC/USDT" in said(other)


def test_a_leg_belongs_to_one_arbitrage() -> None:
    alone = PAIR.replace('type = "arbitrage"', 'type = "leg"')
    text = "one arbitrage must name it as `other`: none does"
    assert f"bots.toml:17: bots[1].name: {text}" in said(alone)
