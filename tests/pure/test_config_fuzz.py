"""Whatever is done to a good file, the answer is a config or problems, a line each."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from actors.pure.config import Config, Problems, load, load_bytes

GOOD = (Path(__file__).parents[2] / "bots.toml").read_text()
LINES = GOOD.splitlines()
VALUES = st.sampled_from(
    (
        *("nan", "-inf", "0", "-1", "1e999999999", "9" * 400, "0x" + "f" * 500, "-0.0"),
        *(
            "true",
            '""',
            '"tick"',
            '"a\\u0000\\nb"',
            "'\N{SNOWMAN}'",
            "1979-05-27",
            "07:32:00",
        ),
        *("[]", "{}", "[[{}]]", "[1, [2, {a = 3}]]", "{ a.b = { c = nan } }", "[[", "= ="),
    )
)
KEYS = st.sampled_from(sorted({line.split(" = ")[0] for line in LINES if " = " in line}))


def expect_an_answer(answer: Config | Problems) -> None:
    if isinstance(answer, Config):
        return
    assert answer.problems
    lines = str(answer).split("\n")
    assert len(lines) == len(answer.problems)
    assert all(line.startswith("bots.toml") and line.isprintable() for line in lines)


@given(st.text())
def test_any_text_at_all(text: str) -> None:
    expect_an_answer(load(text, "bots.toml"))


@given(st.binary())
def test_any_bytes_at_all(data: bytes) -> None:
    expect_an_answer(load_bytes(data, "bots.toml"))


@given(
    at=st.integers(0, len(GOOD)),
    length=st.integers(0, 40),
    instead=st.text(alphabet="abz.=[]{}\"'#\n\\ 019-,_\x00\x7f\N{SNOWMAN}", max_size=8),
)
def test_a_good_file_with_one_place_overwritten(at: int, length: int, instead: str) -> None:
    expect_an_answer(load(GOOD[:at] + instead + GOOD[at + length :], "bots.toml"))


@given(
    st.lists(
        st.tuples(st.integers(0, len(LINES) - 1), KEYS | st.text(max_size=5), VALUES),
        min_size=1,
        max_size=6,
    )
)
def test_a_good_file_with_other_values(changes: list[tuple[int, str, str]]) -> None:
    lines = list(LINES)
    for at, key, value in changes:
        kept = lines[at].partition(" = ")[0]
        lines[at] = f"{kept} = {value}" if " = " in LINES[at] else f"{key} = {value}"
    expect_an_answer(load("\n".join(lines), "bots.toml"))


@given(st.permutations(LINES), st.integers(0, len(LINES)))
def test_a_good_file_shuffled_and_cut(lines: list[str], end: int) -> None:
    expect_an_answer(load("\n".join(lines[:end]), "bots.toml"))
