"""The line of every key, in every way that TOML can write one."""

from __future__ import annotations

import tomllib
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.pure.config_source import Path, index_lines

TEXT = """\
# comment = 1
mode = "sim"

[exchanges.binance]
reconnect = { attempts = 5, "initial_s" = 1 } # a = 2
ping_s = 30
silence_s.ticker = 10

[accounts.main.risk]
'exposure_percent_max' = 100

[[bots]]
name = "a # no comment"
params = { tags = [
  "x",
  { deep = 1 },
] }

[[bots]]
note = \"\"\"
name = "not a key"
\"\"\"
name = "b"
[bots.params]
fast = 12
[[bots.notes]]
text = '''
[no.table]'''
[[bots.notes]]
text = 1979-05-27 07:32:00
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("mode",), 2),
        (("exchanges", "binance"), 4),
        (("exchanges", "binance", "reconnect"), 5),
        (("exchanges", "binance", "reconnect", "attempts"), 5),
        (("exchanges", "binance", "reconnect", "initial_s"), 5),
        (("exchanges", "binance", "silence_s", "ticker"), 7),
        (("accounts", "main", "risk", "exposure_percent_max"), 10),
        (("bots",), 12),
        (("bots", 0), 12),
        (("bots", 0, "name"), 13),
        (("bots", 0, "params", "tags", 0), 15),
        (("bots", 0, "params", "tags", 1, "deep"), 16),
        (("bots", 1), 19),
        (("bots", 1, "note"), 20),
        (("bots", 1, "name"), 23),
        (("bots", 1, "params", "fast"), 25),
        (("bots", 1, "notes", 0, "text"), 27),
        (("bots", 1, "notes", 1, "text"), 30),
    ],
)
def test_every_key_has_the_line_it_begins_on(path: Path, line: int) -> None:
    assert index_lines(TEXT).by_path[path] == line


def test_a_key_that_is_not_there_has_the_line_of_its_table() -> None:
    assert index_lines(TEXT).line(("bots", 1, "params", "slow")) == 24


def test_windows_line_ends_count_once() -> None:
    assert index_lines("a = 1\r\nb = 2\r\n").by_path["b",] == 2


@pytest.mark.parametrize(
    ("text", "repeated"),
    [
        ("a = 1\nb = 2\na = 3\n", ((("a",), 3),)),
        ("[t]\na = 1\n[u]\n[t]\n", ((("t",), 4),)),
        ('[t]\na.b = 1\n"a".b = 1\n', ((("t", "a", "b"), 3),)),
        ("[[t]]\na = 1\n[[t]]\na = 1\n", ()),
    ],
)
def test_a_key_given_twice_is_known_with_its_second_line(
    text: str, repeated: tuple[tuple[Path, int], ...]
) -> None:
    assert index_lines(text).repeated == repeated


def test_deep_nesting_is_survived() -> None:
    assert index_lines("a = " + "[" * 10_000).by_path["a",] == 1


PIECES = (
    "[a]",
    "[a.b]",
    "[[b]]",
    "[b.c]",
    "[[b.d]]",
    '["e f"]',
    "g = 1",
    "h.i = 1.5e3",
    "h . 'j' = -inf",
    "k = [1, 'x]', [\n{ l = 1 }, # ]\n]]",
    'm = { n = "}", o.p = [], q = {} }',
    'r = """\ns = 1""\\"""""',
    "t = '''\n[u]''''",
    "v = 07:32:00",
    "# [w]",
)


@pytest.mark.parametrize("piece", PIECES)
def test_every_piece_is_toml(piece: str) -> None:
    assert isinstance(tomllib.loads(piece), dict)


@given(st.lists(st.sampled_from(PIECES), unique=True))
def test_every_key_that_tomllib_finds_has_a_line(pieces: list[str]) -> None:
    text = "\n".join(pieces)
    lines = index_lines(text)
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert [path for path in _paths(found) if path not in lines.by_path] == []


def _paths(value: object, path: Path = ()) -> list[Path]:
    paths = [path] if path else []
    pairs: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        pairs += cast("dict[str, object]", value).items()
    if isinstance(value, list):
        pairs += enumerate(cast("list[object]", value))
    for key, inner in pairs:
        paths += _paths(inner, (*path, key))
    return paths
