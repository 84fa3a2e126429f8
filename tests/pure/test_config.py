"""A good `bots.toml`, from text to types."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from actors.messages import OrderType, Pair
from actors.pure.config import (
    AccountConfig,
    BotConfig,
    Config,
    ExchangeConfig,
    FaultConfig,
    Mode,
    PhaseConfig,
    Problems,
    RiskConfig,
    SupervisionConfig,
    load,
    summary,
)
from actors.pure.config_endpoints import host_of, place_of
from actors.pure.reconnect import ReconnectPolicy

SHIPPED = Path(__file__).parents[2] / "bots.toml"
SMALL = """\
[accounts.main]
exchange = "binance"

[[bots]]
name = "one"
account = "main"
symbol = "BTC/USDT"
strategy = "ema_cross"
capital = 10_000
position_percent = 10
"""


def good(text: str) -> Config:
    config = load(text, "bots.toml")
    assert isinstance(config, Config), str(config)
    return config


def test_a_small_file_is_filled_with_the_seed_s_numbers() -> None:
    config = good(SMALL)
    assert config.bots == (
        BotConfig(
            name="one",
            type="trading",
            account="main",
            symbol="BTC/USDT",
            strategy="ema_cross",
            params={},
            timeframe="1m",
            capital=Decimal(10_000),
            position_percent=Decimal(10),
            order=OrderType.MARKET,
            evaluate_s=60.0,
            check_s=5.0,
            enabled=True,
            circuit_breaker=True,
            threshold=3,
            reset_s=60.0,
            max_consecutive=10,
        ),
    )


def test_an_exchange_that_only_an_account_names_has_its_own_addresses() -> None:
    assert good(SMALL).exchanges == {
        "binance": ExchangeConfig(
            maker_fee_percent=Decimal("0.1"),
            taker_fee_percent=Decimal("0.1"),
            name="binance",
            url="wss://stream.binance.com:9443/ws",
            rest_url="https://api.binance.com",
            ws_api_url="wss://ws-api.binance.com:443/ws-api/v3",
            reconnect=ReconnectPolicy(5, 1.0, 30.0, 2.0, 0.1),
            connect_s=30.0,
            ping_s=30.0,
            pong_s=10.0,
        )
    }


def test_an_account_s_capital_is_its_bots_where_it_is_not_given() -> None:
    second = SMALL.partition("[[bots]]")[2].replace('"one"', '"two"')
    config = good(f"{SMALL}[[bots]]{second}")
    assert config.accounts["main"] == AccountConfig(
        name="main", exchange="binance", owner="me", capital=Decimal(20_000)
    )


def test_a_bot_has_the_fleet_s_breaker_except_for_what_it_sets_itself() -> None:
    config = good(
        f"{SMALL}threshold = 2\n[supervision]\nreset_s = 30\nthreshold = 4\n",
    )
    assert config.bots[0].supervision == SupervisionConfig(threshold=2, reset_s=30.0)


def test_numbers_are_exact() -> None:
    config = good(f"{SMALL}stop_loss_percent = 0.1\ntake_profit_percent = 1e-2\n")
    assert (config.bots[0].stop_loss_percent, config.bots[0].take_profit_percent) == (
        Decimal("0.1"),
        Decimal("0.01"),
    )


@pytest.mark.parametrize(
    ("written", "read"), [('"tick"', "tick"), ('"candle"', "candle"), ("0.5", 0.5)]
)
def test_a_strategy_is_asked_by_tick_by_candle_or_by_time(
    written: str, read: str | float
) -> None:
    assert good(f"{SMALL}evaluate_s = {written}").bots[0].evaluate_s == read


def test_risk_limits_are_read() -> None:
    text = """
[accounts.main.risk]
exposure_percent_max = 50
daily_loss_percent_max = 2.5
positions_max = 3
order_quote_max = 2_000
price_age_s_max = 4
"""
    assert good(SMALL + text).accounts["main"].risk == RiskConfig(
        exposure_percent_max=Decimal(50),
        daily_loss_percent_max=Decimal("2.5"),
        positions_max=3,
        order_quote_max=Decimal(2000),
        price_age_s_max=4.0,
    )


def test_the_simulator_s_script_is_read() -> None:
    text = """
[[simulator.phases]]
at_s = 10
duration_s = 5
percent = -2.5
[[simulator.faults]]
kind = "late_ack"
after_orders = 3
delay_s = 0.5
[[simulator.faults]]
kind = "disconnect"
at_s = 20
"""
    simulator = good(SMALL + text).simulator
    assert (simulator.phases, simulator.faults) == (
        (PhaseConfig(at_s=10.0, duration_s=5.0, percent=Decimal("-2.5")),),
        (
            FaultConfig(kind="late_ack", after_orders=3, delay_s=0.5),
            FaultConfig(kind="disconnect", at_s=20.0),
        ),
    )


LIVE = f'mode = "live"\n{SMALL}'.replace(
    'exchange = "binance"\n',
    'exchange = "binance"\nkey = "env:KEY"\nsecret = "file:/etc/shoal/secret"\n',
)


def test_live_knows_keys_by_reference_only() -> None:
    config = good(LIVE)
    account = config.accounts["main"]
    assert (config.mode, account.key, account.secret) == (
        Mode.LIVE,
        "env:KEY",
        "file:/etc/shoal/secret",
    )


def test_keys_go_to_another_host_where_the_file_says_so() -> None:
    config = good(
        f"""{LIVE}
[exchanges.binance]
url = "ws://127.0.0.1:9010/ws"
rest_url = "http://127.0.0.1:9010"
ws_api_url = "ws://127.0.0.1:9010/ws-api/v3"
send_keys_to_this_host = true
"""
    )
    assert config.exchanges["binance"].rest_url == "http://127.0.0.1:9010"


def test_an_authority_of_one_s_own_vouches_for_other_hosts() -> None:
    config = good(
        f"""{LIVE}
[exchanges.binance]
url = "wss://localhost:9010/ws"
rest_url = "https://localhost:9010"
ws_api_url = "wss://localhost:9010/ws-api/v3"
send_keys_to_this_host = true
ca_file = "ca.pem"
"""
    )
    assert config.exchanges["binance"].ca_file == "ca.pem"


def test_the_testnet_needs_no_permission() -> None:
    config = good(
        f'{LIVE}[exchanges.binance]\nrest_url = "https://testnet.binance.vision"\n'
    )
    assert not config.exchanges["binance"].send_keys_to_this_host


def test_a_strategy_of_the_user_s_own_is_judged_when_the_fleet_starts() -> None:
    own = SMALL.replace('"ema_cross"', '"my_module:MyStrategy"')
    config = good(f"{own}params = {{ anything = 1 }}\n")
    assert (config.bots[0].strategy, config.bots[0].params) == (
        "my_module:MyStrategy",
        {"anything": 1},
    )


def test_the_shipped_file_shows_four_bots_on_two_symbols() -> None:
    config = good(SHIPPED.read_text())
    assert summary(config) == (
        "mode sim, 1 exchange, 1 account, 4 bots on 2 symbols, "
        "will halt at \N{MINUS SIGN}5.0 %"
    )


def test_the_summary_counts_what_is_disabled_and_names_whose_limit_it_is() -> None:
    text = """
enabled = false
[accounts.spare]
exchange = "binance"
risk = { daily_loss_percent_max = 2.25 }
"""
    assert summary(good(SMALL + text)) == (
        "mode sim, 1 exchange, 2 accounts, 1 bot (1 disabled) on 1 symbol, "
        "will halt at \N{MINUS SIGN}2.25 % (spare)"
    )


def test_the_summary_says_that_nothing_halts() -> None:
    assert summary(good(SMALL)).endswith(", no daily loss limit")


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("wss://stream.binance.com:9443/ws", "stream.binance.com"),
        ("https://api.binance.com", "api.binance.com"),
        ("ws://localhost:1", "localhost"),
        ("http://[::1]:80/x", "[::1]"),
        ("http://api.binance.com", None),
        ("ws://127.0.0.1.evil.com", None),
        ("https://me@api.binance.com", None),
        ("https://me:word@api.binance.com", None),
        ("https://api.binance.com?x=1", None),
        ("https://api.binance.com:70000", None),
        ("https://API.binance.com", None),
        ("https://api.binance.com\n", None),
        ("ftp://api.binance.com", None),
        ("https://", None),
    ],
)
def test_an_address_is_a_scheme_a_host_and_a_path(address: str, host: str | None) -> None:
    assert host_of(address) == host


def test_a_config_is_frozen() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        good(SMALL).mode = Mode.LIVE  # type: ignore[misc] -- that is the point


def test_problems_are_no_config() -> None:
    assert isinstance(load("x = 1", "bots.toml"), Problems)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("", ""),
        ("https://api.binance.com", ""),
        ("https://api3.binance.com/api", ""),
        ("http://127.0.0.1:9010", "loopback:9010"),
        ("http://localhost:9010/api", "loopback:9010"),
        ("https://mirror.example:8443", "mirror.example:8443"),
    ],
)
def test_all_addresses_of_one_place_have_one_name(url: str, place: str) -> None:
    assert place_of("binance", url) == place


def test_each_simulated_exchange_has_its_own_and_what_is_for_all() -> None:
    answer = load(
        SMALL
        + """
[simulator]
fee_percent = 0.2
prices = { "BTC/USDT" = 50_000 }
phases = [{ at_s = 1, duration_s = 2, percent = 3 }]
[simulator.exchanges.kraken]
prices = { "BTC/USD" = 49_000 }
balances = { USD = 7 }
[[simulator.faults]]
kind = "silence"
at_s = 1
exchange = "kraken"
[[simulator.faults]]
kind = "storm"
at_s = 2
""",
        "bots.toml",
    )
    assert isinstance(answer, Config)
    here, there = answer.simulator.of("binance"), answer.simulator.of("kraken")
    assert (dict(here.prices), dict(there.prices)) == (
        {"BTC/USDT": Decimal(50_000)},
        {"BTC/USD": Decimal(49_000)},
    )
    assert dict(there.balances) == {"USD": Decimal(7)}
    assert (here.fee_percent, there.fee_percent) == (Decimal("0.2"), Decimal("0.2"))
    assert [len(each.phases) for each in (here, there)] == [1, 1]
    assert [[fault.kind for fault in each.faults] for each in (here, there)] == [
        ["storm"],
        ["silence", "storm"],
    ]


def test_a_bot_sees_more_of_its_market_if_it_asks_for_it() -> None:
    asks = 'timeframes = ["5m", "1h"]\nflow_s = [10, 60]\nbook = true\n'
    answer = load(SMALL + asks, "bots.toml")
    assert isinstance(answer, Config)
    (bot,) = answer.bots
    assert (bot.timeframes, bot.flow_s, bot.book) == (("5m", "1h"), (10, 60), True)


def test_a_bot_reads_pairs_and_their_exchanges_are_configured() -> None:
    answer = load(SMALL + 'reads = ["binance:ETH/USDT"]\n', "bots.toml")
    assert isinstance(answer, Config)
    assert answer.bots[0].reads == (Pair("binance", "ETH/USDT"),)
    assert answer.pair_of(answer.bots[0]) == Pair("binance", "BTC/USDT")


def test_the_summary_counts_what_is_read_and_one_symbol_at_each_exchange() -> None:
    text = (
        SMALL.replace("main", "first")
        + """
reads = ["coinbase:BTC/USDT"]
[accounts.second]
exchange = "kraken"
[[bots]]
name = "two"
account = "second"
symbol = "BTC/USDT"
strategy = "ema_cross"
capital = 10_000
position_percent = 10
"""
    )
    answer = load(text, "bots.toml")
    assert isinstance(answer, Config)
    assert summary(answer) == (
        "mode sim, 3 exchanges, 2 accounts, 2 bots on 2 symbols, no daily loss limit"
    )
