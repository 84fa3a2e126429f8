"""What an actor died of, in one line."""

from __future__ import annotations

import json
import re

from actors.pure.error_text import error_text


def caught(error: BaseException) -> BaseException:
    try:
        raise error
    except type(error) as raised:
        return raised


def test_an_error_names_its_type_text_and_place() -> None:
    text = error_text(caught(KeyError("slow")))
    assert re.fullmatch(r"KeyError: 'slow' in pure/test_error_text\.py:\d+", text)


def test_an_error_that_was_never_raised_has_no_place() -> None:
    assert error_text(ValueError("no")) == "ValueError: no"


def test_the_place_is_in_our_own_code_not_in_the_library_it_called() -> None:
    try:
        json.loads("{")
    except ValueError as error:
        text = error_text(error)
    else:
        text = ""
    assert "in pure/test_error_text.py:" in text


def test_the_cause_is_told_after_the_error() -> None:
    error = RuntimeError("no recall")
    error.__cause__ = OSError("disk full")
    assert error_text(error) == "RuntimeError: no recall · caused by OSError: disk full"


def test_a_suppressed_context_is_not_told() -> None:
    error = RuntimeError("no recall")
    error.__context__ = OSError("disk full")
    error.__suppress_context__ = True
    assert error_text(error) == "RuntimeError: no recall"


def test_a_group_names_its_members_and_not_itself() -> None:
    group = ExceptionGroup(
        "Exceptions from Trio nursery",
        [ValueError("a"), ExceptionGroup("inner", [KeyError("b")])],
    )
    assert error_text(group) == "ValueError: a and KeyError: 'b'"


def test_a_crowd_is_counted() -> None:
    group = ExceptionGroup("many", [ValueError(str(n)) for n in range(9)])
    assert error_text(group).endswith("ValueError: 3 and 5 more")


def test_a_line_break_cannot_forge_a_log_line() -> None:
    assert error_text(ValueError("a\n12:00:00  risk  b")) == "ValueError: a 12:00:00 risk b"


def test_a_long_text_is_cut() -> None:
    assert len(error_text(ValueError("x" * 10_000))) < 400


def test_an_endless_chain_is_cut() -> None:
    error = innermost = ValueError("0")
    for number in range(1, 50):
        innermost.__cause__ = ValueError(str(number))
        innermost = innermost.__cause__
    assert error_text(error).count("caused by") == 3


def test_an_error_that_cannot_say_what_it_is_is_told_nevertheless() -> None:
    class Coded(Exception):
        def __str__(self) -> str:
            return self.args[0]

    assert error_text(Coded(42)) == "Coded: <exception str() failed>"


def test_an_error_is_told_in_words_that_can_be_written() -> None:
    assert error_text(ValueError("bad name a\udc80b")) == r"ValueError: bad name a\udc80b"
