"""Every way in which `bots.toml` can be wrong, and what is said about it, word by word."""

from __future__ import annotations

import sys

import pytest

from actors.pure.config import Problems, load, load_bytes

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
CANARY = "AKIA7CANARY"


def said(text: str) -> list[str]:
    answer = load(text, "bots.toml")
    return str(answer).splitlines() if isinstance(answer, Problems) else []


def changed(old: str, new: str) -> str:
    assert old in BASE
    return BASE.replace(old, new)


def test_the_base_of_these_tests_is_good() -> None:
    assert said(BASE) == []


NO_TOML = [
    ("mode = \n", "1: not TOML: invalid value at column 8"),
    (
        "a = 1\n[b\n",
        "2: not TOML: expected ']' at the end of a table declaration at column 3",
    ),
    ('a = """\nb\n\n', "2: not TOML: unterminated string at the end of the file"),
    ("a = 1 b\n", "1: not TOML: expected newline or end of document after a statement"),
    ("a = 1\nb = 2\na = 3\n", "3: a: given twice; first on line 1"),
    ("[a]\n[b]\n[a]\n", "3: a: given twice; first on line 1"),
    ("\N{ZERO WIDTH NO-BREAK SPACE}a = 1", "1: begins with a byte order mark; save it as"),
    ("a = 1\nb = " + "9" * 5000, "2: longer than 4096 characters"),
    ("a." * 3000 + "a = 1", "1: longer than 4096 characters"),
    ("a = \x00", "1: not TOML: invalid value at column 5"),
    (f"a = '''\n{'[' * 10}''' ]", "2: not TOML: expected newline or end of document"),
]


@pytest.mark.parametrize(("text", "start"), NO_TOML)
def test_what_is_no_toml_is_said_in_one_line(text: str, start: str) -> None:
    lines = said(text)
    assert len(lines) == 1
    assert lines[0].startswith(f"bots.toml:{start}")


def test_nesting_beyond_all_sense_is_refused() -> None:
    assert said("a = " + "[\n" * 20_000) == ["bots.toml: nested too deeply"]


def test_a_number_that_python_refuses_to_read_is_refused() -> None:
    usual = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(1000)
    try:
        answer = said("a = " + "9" * 1001)
    finally:
        sys.set_int_max_str_digits(usual)
    assert answer == ["bots.toml: holds a number of too many digits"]


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"", "bots.toml: empty: add [[bots]] to run"),
        (b"# nothing\n", "bots.toml: empty: add [[bots]] to run"),
        (b"a = 1\nb = '\xff'", "bots.toml:2: not UTF-8: byte 0xff"),
        ("a = 1".encode("utf-16"), "bots.toml:1: not UTF-8: byte 0xff"),
        (
            b"#" * (1024 * 1024 + 1),
            "bots.toml: larger than 1 MiB; this is no configuration",
        ),
    ],
)
def test_bytes_that_are_no_text_are_refused(data: bytes, line: str) -> None:
    assert str(load_bytes(data, "bots.toml")) == line


KEYS = [
    (
        changed("capital", "captial"),
        "bots.toml:11: bots[0].captial: unknown key; did you mean capital?",
    ),
    (
        "[supervison]\n" + BASE.replace('mode = "sim"\n', ""),
        "bots.toml:1: supervison: unknown key; did you mean supervision?",
    ),
    (
        BASE + "[accounts.main.risk]\ndaily_loss_max = 5\n",
        "bots.toml:14: accounts.main.risk.daily_loss_max: unknown key; "
        "did you mean daily_loss_percent_max?",
    ),
    (
        BASE + "[journal]\nxyz = 5\n",
        "bots.toml:14: journal.xyz: unknown key; known: price_every_s",
    ),
    (
        BASE + '"a b\\u0007" = 5\n',
        'bots.toml:13: bots[0]."a b\\u0007": unknown key; known: account, capital, '
        "check_s, circuit_breaker, enabled, evaluate_s, limit_offset_percent, "
        "max_consecutive, name, order, params, position_percent, reset_s, "
        "stop_limit_percent, stop_loss_percent, stop_trigger_percent, strategy, symbol, "
        "take_profit_percent, threshold, timeframe, trailing_stop_percent, type",
    ),
    (
        changed("capital = 10_000\n", ""),
        "bots.toml:6: bots[0].capital: missing; must be a number above 0 and at most "
        "1000000000000",
    ),
    (
        changed('exchange = "binance"\n', ""),
        "bots.toml:2: accounts.main.exchange: missing; must be 1 to 32 characters of "
        "a-z, 0-9 and -",
    ),
    (
        'mode = "sim"\n[accounts.main]\nexchange = "binance"\n',
        "bots.toml: nothing to run: add [[bots]]",
    ),
    (
        'bots = "one"\n',
        'bots.toml:1: bots: must be tables, each begun by [[bots]], not the text "one"',
    ),
    ("bots = [1]\n", "bots.toml:1: bots[0]: must be a table, not 1"),
    (
        changed("[accounts.main]", '[accounts."My Own"]').replace('"main"', '"my"'),
        'bots.toml:2: accounts."My Own": must be 1 to 32 characters of a-z, 0-9 and -, '
        'not the text "My Own"',
    ),
    (
        "accounts = []\n" + BASE[BASE.index("[[bots]]") :],
        "bots.toml:1: accounts: must be tables with a name each, not an array",
    ),
]


@pytest.mark.parametrize(("text", "line"), KEYS)
def test_keys_that_are_wrong_or_missing(text: str, line: str) -> None:
    assert line in said(text)


@pytest.mark.parametrize(("text", "line"), KEYS[:7])
def test_one_mistake_is_one_line(text: str, line: str) -> None:
    assert said(text) == [line]


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
        'must be "market", "limit" or "stop_loss_limit", not the text "makret"; did you '
        "mean market?",
    ),
    ("order", "1", 'must be "market", "limit" or "stop_loss_limit", not 1'),
    ("type", '"trade"', 'must be "trading", not the text "trade"; did you mean trading?'),
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
        'has no meaning with order = "market"; remove it, or set order = "limit"',
    ),
    (
        "stop_trigger_percent",
        "1",
        'has no meaning with order = "market"; remove it, or set order = "stop_loss_limit"',
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


FLEET = [
    (
        changed('"sim"', '"simm"'),
        'bots.toml:1: mode: must be "sim", "paper" or "live", not the text "simm"; did '
        "you mean sim?",
    ),
    (
        changed('"sim"', '"paper"'),
        'bots.toml:1: mode: "paper" is not available yet; use "sim" or "live"',
    ),
    (
        changed('"binance"', '"binanse"'),
        "bots.toml:3: accounts.main.exchange: unknown exchange; did you mean binance?",
    ),
    (
        changed('"binance"', '"kraken"'),
        "bots.toml:3: accounts.main.exchange: kraken is not available yet; use binance",
    ),
    (
        BASE + "[exchanges.bitmex]\n",
        "bots.toml:13: exchanges.bitmex: unknown exchange; known: binance",
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
        BASE + "[simulator.prices]\nBTCUSDT = 1\n'BTC/USDT' = 2\n",
        "bots.toml:14: simulator.prices.BTCUSDT: the key must be a symbol as BASE/QUOTE",
    ),
    (
        BASE + '[[simulator.faults]]\nkind = "lostack"\nat_s = 1\n',
        "bots.toml:14: simulator.faults[0].kind: must be "
        '"silence", "half_open", "garbage", "duplicate", "reorder", "lost_ack", '
        '"late_ack", "rate_limit", "ban", "server_error", "clock_skew", "disconnect", '
        '"storm", "server_shutdown" or "refuse", not the text "lostack"; did you mean '
        "lost_ack?",
    ),
    (
        BASE + '[[simulator.faults]]\nkind = "ban"\n',
        "bots.toml:13: simulator.faults[0]: never begins: give at_s, every_s or "
        "after_orders",
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


LITERAL = (
    'literal secrets are refused; must be a reference, "env:NAME" or "file:/path" (yours '
    "is not shown)"
)


@pytest.mark.parametrize("key", ["key", "secret"])
@pytest.mark.parametrize(
    "value", [f'"{CANARY}"', f'"env:{CANARY}-+/="', "12345", f'"file:{CANARY}"', "['x']"]
)
def test_a_literal_secret_is_refused_by_line_and_never_shown(key: str, value: str) -> None:
    text = BASE.replace(f'{key} = "env:{key.upper()}"', f"{key} = {value}")
    line = {"key": 4, "secret": 5}[key]
    assert said(text) == [f"bots.toml:{line}: accounts.main.{key}: {LITERAL}"]


@pytest.mark.parametrize(
    "text",
    [
        changed('key = "env:KEY"', f'api_key = "{CANARY}"'),
        changed('key = "env:KEY"', f'key = "{CANARY}'),
        changed('key = "env:KEY"', f"key = {CANARY}"),
        changed('key = "env:KEY"', f'key = {{ value = "{CANARY}" }}'),
        changed('key = "env:KEY"', f'key = "{CANARY}"\nkey = "{CANARY}"'),
    ],
)
def test_a_secret_that_is_written_wrongly_is_not_shown_either(text: str) -> None:
    lines = said(text)
    assert lines
    assert CANARY not in "\n".join(lines)


def test_keyring_references_are_not_available_yet() -> None:
    assert said(changed('"env:KEY"', '"keyring:shoal"')) == [
        "bots.toml:4: accounts.main.key: keyring: is not available yet; must be a "
        'reference, "env:NAME" or "file:/path"'
    ]


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    text = (
        BASE.replace('"sim"', '"simm"')
        .replace('"env:KEY"', '"KEY"')
        .replace("10_000", "0")
        .replace('"main"\n', '"mian"\n')
    )
    assert [line.split(": ")[:2] for line in said(text)] == [
        ["bots.toml:1", "mode"],
        ["bots.toml:4", "accounts.main.key"],
        ["bots.toml:8", "bots[0].account"],
        ["bots.toml:11", "bots[0].capital"],
    ]
