"""Every way in which `bots.toml` can be wrong, and what is said about it, word by word."""

from __future__ import annotations

import sys

import pytest

from actors.pure.config import load_bytes
from tests.pure.config_text import BASE, changed, said

CANARY = "AKIA7CANARY"


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
        "bots.toml:14: journal.xyz: unknown key; known: free_mb_safe, free_mb_warn,"
        " price_every_s",
    ),
    (
        BASE + '"a b\\u0007" = 5\n',
        'bots.toml:13: bots[0]."a b\\u0007": unknown key; known: account, book, '
        "capital, check_s, circuit_breaker, daily_fees_quote_max, "
        "daily_turnover_quote_max, enabled, evaluate_s, exit_wait_s, flow_s, "
        "inventory_percent, limit_offset_percent, max_consecutive, name, order, "
        "orders_per_minute_max, other, params, position_percent, profit_percent, "
        "protective_limit_percent, protective_stop, reads, reset_s, stop_limit_percent, "
        "stop_loss_percent, stop_trigger_percent, strategy, symbol, …",
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
        "bots.toml: bots: there are none, so nothing would run: add [[bots]]",
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


def test_every_problem_is_listed_however_many_there_are() -> None:
    bots = "".join(f'[[bots]]\nname = "b{number}"\ncaptial = 1\n' for number in range(200))
    assert len(said(bots)) == 5 * 200


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
