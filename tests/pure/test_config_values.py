"""Values and tables that `bots.toml` may not have, and what is said about each."""

from __future__ import annotations

import pytest

from actors.pure.config_endpoints import ENDPOINTS
from tests.pure.config_text import BASE, changed, said

ORDERS = (
    'must be "market", "limit", "limit_maker", "stop_loss_limit" or "take_profit_limit"'
)
VALUES = [
    ("capital", "0", "must be a number above 0 and at most 1000000000000, not 0"),
    (
        "capital",
        "-5",
        "must be a number above 0 and at most 1000000000000, not -5; write 5",
    ),
    (
        "capital",
        '"10"',
        'must be a number above 0 and at most 1000000000000, not the text "10"; remove '
        "the quotes",
    ),
    ("capital", "nan", "must be a number above 0 and at most 1000000000000, not NaN"),
    ("capital", "inf", "must be a number above 0 and at most 1000000000000, not Infinity"),
    (
        "capital",
        "1e99999999999999999999",
        "must be a number above 0 and at most 1000000000000, not NaN",
    ),
    (
        "capital",
        "0x" + "f" * 3900,
        "must be a number above 0 and at most 1000000000000, not a number of more than "
        "38 digits",
    ),
    (
        "capital",
        "1e-99",
        "must have at most 18 decimals, not 1E-99",
    ),
    ("capital", "true", "must be a number above 0 and at most 1000000000000, not true"),
    (
        "capital",
        "1979-05-27",
        "must be a number above 0 and at most 1000000000000, not a date or time",
    ),
    ("capital", "[1]", "must be a number above 0 and at most 1000000000000, not an array"),
    ("position_percent", "0", "must be a percentage above 0 and at most 100, not 0"),
    ("position_percent", "101", "must be a percentage above 0 and at most 100, not 101"),
    ("stop_loss_percent", "100", "must be a percentage above 0 and below 100, not 100"),
    (
        "stop_loss_percent",
        "-2",
        "must be a percentage above 0 and below 100, not -2; write 2",
    ),
    ("check_s", "0", "must be a number of seconds above 0 and at most 86400, not 0"),
    ("threshold", "2.5", "must be a whole number from 1 to 1000, not 2.5"),
    ("threshold", "0", "must be a whole number from 1 to 1000, not 0"),
    ("threshold", "true", "must be a whole number from 1 to 1000, not true"),
    ("threshold", "11", "must be at most max_consecutive, 10, not 11"),
    ("enabled", "1", "must be true or false, not 1"),
    (
        "order",
        '"makret"',
        f'{ORDERS}, not the text "makret"; did you mean market?',
    ),
    ("order", "1", f"{ORDERS}, not 1"),
    (
        "type",
        '"trade"',
        'must be "trading", "arbitrage" or "leg", not the text "trade"; did you mean '
        "trading?",
    ),
    (
        "evaluate_s",
        '"tik"',
        'must be a number of seconds above 0 and at most 86400, "tick" or "candle", not '
        'the text "tik"; did you mean tick?',
    ),
    (
        "evaluate_s",
        "0",
        "must be a number of seconds above 0 and at most 86400, not 0",
    ),
    (
        "limit_offset_percent",
        "1",
        'has no meaning with order = "market"; remove it, or set order = "limit" or '
        '"limit_maker"',
    ),
    (
        "stop_trigger_percent",
        "1",
        'has no meaning with order = "market"; remove it, or set order = '
        '"stop_loss_limit" or "take_profit_limit"',
    ),
    ("account", '"mian"', 'unknown account "mian"; did you mean main?'),
    ("account", '"x"', 'unknown account "x"; known: main'),
    ("strategy", '"ema_crss"', 'unknown strategy "ema_crss"; did you mean ema_cross?'),
    (
        "strategy",
        '"../x.py"',
        'must be the name of a strategy, or "module:Class", not the text "../x.py"',
    ),
    (
        "symbol",
        '"BTCUSDT"',
        'must be a symbol as BASE/QUOTE, in capitals, not the text "BTCUSDT"',
    ),
    (
        "symbol",
        '"BTC/USDC"',
        '"BTC/USDC" is not in simulator.prices; did you mean BTC/USDT?',
    ),
    (
        "name",
        '"Btc Bot"',
        'must be 1 to 32 characters of a-z, 0-9 and -, not the text "Btc Bot"',
    ),
    (
        "name",
        '"' + "x" * 80 + '"',
        f'must be 1 to 32 characters of a-z, 0-9 and -, not the text "{"x" * 38}…',
    ),
    ("params", "1", "must be a table, not 1"),
]


@pytest.mark.parametrize(("key", "value", "text"), VALUES)
def test_values_that_a_bot_may_not_have(key: str, value: str, text: str) -> None:
    lines = [line for line in BASE.splitlines() if not line.startswith(f"{key} =")]
    lines.append(f"{key} = {value}")
    assert said("\n".join(lines)) == [f"bots.toml:{len(lines)}: bots[0].{key}: {text}"]


PARAMS = [
    ("{ fsat = 3 }", "params.fsat: unknown key; did you mean fast?"),
    ("{ fast = 0 }", "params.fast: fast = 0 is not a whole number from 1 to 1000"),
    ("{ fast = 2.5 }", "params.fast: fast = 2.5 is not a whole number from 1 to 1000"),
    (
        "{ fast = 20, slow = 10 }",
        "params: EmaCross: fast = 20 is not less than slow = 10",
    ),
]


@pytest.mark.parametrize(("params", "text"), PARAMS)
def test_params_that_the_strategy_does_not_take(params: str, text: str) -> None:
    assert said(f"{BASE}params = {params}\n") == [f"bots.toml:13: bots[0].{text}"]


KNOWN = ", ".join(ENDPOINTS)
FLEET = [
    (
        changed('"sim"', '"simm"'),
        'bots.toml:1: mode: must be "sim", "paper" or "live", not the text "simm"; did '
        "you mean sim?",
    ),
    (
        changed('"binance"', '"binanse"'),
        "bots.toml:3: accounts.main.exchange: unknown exchange; did you mean binance?",
    ),
    (
        BASE + "[exchanges.bitmex]\n",
        f"bots.toml:13: exchanges.bitmex: unknown exchange; known: {KNOWN}",
    ),
    (
        BASE + '[accounts.two]\nexchange = "binance"\nkey = "env:KEY"\n',
        "bots.toml:15: accounts.two.key: is also accounts.main.key; one key, one account",
    ),
    (
        changed('"sim"', '"live"').replace('secret = "env:SECRET"\n', ""),
        'bots.toml:2: accounts.main.secret: missing; mode "live" needs it, like "env:NAME"',
    ),
    (
        changed('"env:KEY"', '"env:KEY"\ncapital = 9999'),
        "bots.toml:5: accounts.main.capital: must be at least the 10000 that its bots are "
        "given, not 9999",
    ),
    (
        BASE + BASE[BASE.index("[[bots]]") :],
        'bots.toml:14: bots[1].name: "one" is also the name of bots[0]',
    ),
    (
        BASE + "[supervision]\nthreshold = 20\n",
        "bots.toml:14: supervision.threshold: must be at most max_consecutive, 10, not 20",
    ),
    (
        BASE + "[exchanges.binance]\nreconnect = { initial_s = 31 }\n",
        "bots.toml:14: exchanges.binance.reconnect.initial_s: must be at most max_s, 30, "
        "not 31",
    ),
    (
        BASE + '[exchanges.binance]\nrest_url = "https://api.binance.co"\n',
        "bots.toml:14: exchanges.binance.rest_url: api.binance.co is not known to be "
        "binance's, so no key is sent to it; if it is yours, set send_keys_to_this_host "
        "= true",
    ),
    (
        BASE + '[exchanges.binance]\nurl = "ws://stream.binance.com"\n',
        "bots.toml:14: exchanges.binance.url: must be wss:// or https:// with a host and a "
        "path and nothing else; plain ws:// or http:// only to this machine",
    ),
    (
        BASE + '[exchanges.binance]\nca_file = "ca.pem"\n'
        'url = "wss://localhost/ws"\nsend_keys_to_this_host = true\n',
        "bots.toml:14: exchanges.binance.ca_file: rest_url is binance itself "
        "(api.binance.com), which needs none: remove it, or give another rest_url",
    ),
    (
        BASE + '[exchanges.kraken]\nrest_url = "https://api.binance.com"\n',
        "bots.toml:14: exchanges.kraken.rest_url: api.binance.com is not known to be "
        "kraken's, so no key is sent to it; if it is yours, set send_keys_to_this_host "
        "= true",
    ),
    (
        BASE + '[exchanges.coinbase]\ntrading_rest_url = "https://api.coinbase.co"\n',
        "bots.toml:14: exchanges.coinbase.trading_rest_url: api.coinbase.co is not known "
        "to be coinbase's, so no key is sent to it; if it is yours, set "
        "send_keys_to_this_host = true",
    ),
    (
        BASE + '[accounts.two]\nexchange = "coinbase"\ndead_man_s = 60\n',
        "bots.toml:15: accounts.two.dead_man_s: has no meaning at coinbase; remove it",
    ),
    (
        BASE + '[exchanges.binance]\ntrading_rest_url = "https://api.binance.com"\n',
        "bots.toml:14: exchanges.binance.trading_rest_url: has no meaning at binance, "
        "where rest_url is for all; remove it",
    ),
    (
        changed('"env:SECRET"', '"env:SECRET"\npassphrase = "env:WORD"'),
        "bots.toml:6: accounts.main.passphrase: has no meaning at binance; remove it",
    ),
    (
        changed('"env:SECRET"', '"env:SECRET"\ndead_man_s = 60'),
        "bots.toml:6: accounts.main.dead_man_s: has no meaning at binance; remove it",
    ),
    (
        BASE + 'reads = ["binance:BTC/USDT"]\n',
        "bots.toml:13: bots[0].reads[0]: binance:BTC/USDT is what it trades, and sees "
        "anyway; remove it",
    ),
    (
        BASE + 'timeframes = ["5m", "1m"]\n',
        'bots.toml:13: bots[0].timeframes[1]: "1m" is its timeframe, and seen anyway; '
        "remove it",
    ),
    (
        BASE + 'timeframes = ["5m", "5m"]\n',
        'bots.toml:13: bots[0].timeframes[1]: the text "5m" is there already',
    ),
    (
        BASE + "flow_s = [10, 0]\n",
        "bots.toml:13: bots[0].flow_s[1]: must be a whole number from 1 to 3600, not 0",
    ),
    (
        BASE + "flow_s = [1, 2, 3, 4, 5]\n",
        "bots.toml:13: bots[0].flow_s: must be at most 4, not 5",
    ),
    (
        BASE + "flow_s = 60\n",
        "bots.toml:13: bots[0].flow_s: must be an array of up to 4, each a whole number "
        "from 1 to 3600, not 60",
    ),
    (
        BASE + 'reads = ["binance:ETH/USDT", "binance:ETH/USDT"]\n',
        "bots.toml:13: bots[0].reads[1]: binance:ETH/USDT is there already",
    ),
    (
        BASE + 'reads = ["ETH/USDT"]\n',
        'bots.toml:13: bots[0].reads[0]: must be as "EXCHANGE:BASE/QUOTE", not the text '
        '"ETH/USDT"',
    ),
    (
        BASE + 'reads = ["bitmex:ETH/USDT"]\n',
        f"bots.toml:13: bots[0].reads[0]: unknown exchange; known: {KNOWN}",
    ),
    (
        BASE + 'reads = ["binance:SOL/USDT"]\n',
        'bots.toml:13: bots[0].reads[0]: "SOL/USDT" is not in simulator.prices; known: '
        "BTC/USDT, ETH/USDT",
    ),
    (
        BASE + '[simulator.exchanges.binance]\nprices = { "ETH/USDT" = 1 }\n',
        'bots.toml:9: bots[0].symbol: "BTC/USDT" is not in '
        "simulator.exchanges.binance.prices; did you mean ETH/USDT?",
    ),
    (
        BASE + '[simulator.exchanges.binanse]\nprices = { "ETH/USDT" = 1 }\n',
        "bots.toml:13: simulator.exchanges.binanse: unknown key; did you mean binance?",
    ),
    (
        BASE + '[[simulator.faults]]\nkind = "ban"\nat_s = 1\nexchange = "krakne"\n',
        "bots.toml:16: simulator.faults[0].exchange: must be "
        '"binance", "coinbase" or "kraken", not the text "krakne"; did you mean kraken?',
    ),
    (
        BASE + "[simulator.prices]\nBTCUSDT = 1\n'BTC/USDT' = 2\n",
        "bots.toml:14: simulator.prices.BTCUSDT: the key must be a symbol as BASE/QUOTE",
    ),
    (
        BASE + '[[simulator.faults]]\nkind = "lostack"\nat_s = 1\n',
        "bots.toml:14: simulator.faults[0].kind: must be "
        '"silence", "half_open", "garbage", "duplicate", "reorder", "lost_ack", '
        '"late_ack", "rate_limit", "ban", "server_error", "clock_skew", "disconnect", '
        '"storm", "server_shutdown", "refuse", "purge", "late_orders" or "late_fills", '
        'not the text "lostack"; did you mean lost_ack?',
    ),
    (
        BASE + '[[simulator.faults]]\nkind = "ban"\n',
        "bots.toml:13: simulator.faults[0]: never begins: give at_s, every_s or "
        "after_orders",
    ),
    (
        BASE + '[[simulator.crash]]\nat_s = 1\nactor = "bot:oen"\n',
        'bots.toml:15: simulator.crash[0].actor: no actor is called "bot:oen"; '
        "did you mean bot:one?",
    ),
    (
        BASE + "[accounts.main.risk]\ndaily_loss_percent_max = -5\n",
        "bots.toml:14: accounts.main.risk.daily_loss_percent_max: must be a percentage "
        "above 0 and at most 100, not -5; write 5",
    ),
]


@pytest.mark.parametrize(("text", "line"), FLEET)
def test_tables_that_do_not_agree(text: str, line: str) -> None:
    assert said(text) == [line]
