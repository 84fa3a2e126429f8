"""Secrets: where they come from, that they never show, and that the log hides them."""

from __future__ import annotations

import base64
import copy
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote_plus

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.secrets import Redaction, Secret, SecretError, resolve

CANARY = "kanarie/vogel+9f3'\"ü=="


SHOWS: list[Callable[[Secret], str]] = [
    repr,
    str,
    "{}".format,
    "{!r}".format,
    lambda secret: f"{secret}",
    lambda secret: "%s" % secret,  # noqa: UP031 -- one of the ways
    lambda secret: repr([secret]),
    lambda secret: pickle.loads(pickle.dumps(secret)).reveal(),  # noqa: S301 -- ours
    lambda secret: copy.copy(secret).reveal(),
    lambda secret: copy.deepcopy(secret).reveal(),
]


@pytest.mark.parametrize("shown", SHOWS)
def test_a_secret_shows_three_stars_whatever_is_done_with_it(
    shown: Callable[[Secret], str],
) -> None:
    assert shown(Secret(CANARY)).strip("[]") == "***"


def test_a_secret_in_a_message_does_not_show() -> None:
    @attrs.frozen
    class Keys:
        secret: Secret

    keys = Keys(Secret(CANARY))
    assert (repr(keys), keys.secret.reveal()) == ("Keys(secret=***)", CANARY)


def test_a_secret_cannot_be_written_as_json() -> None:
    with pytest.raises(TypeError):
        json.dumps(Secret(CANARY))


def test_a_secret_has_no_fields_to_look_into() -> None:
    assert not hasattr(Secret(CANARY), "__dict__")


def test_secrets_compare_by_value() -> None:
    assert {Secret("a"), Secret("a"), Secret("b")} == {Secret("b"), Secret("a")}


def test_a_secret_comes_from_the_environment() -> None:
    assert resolve("env:KEY", {"KEY": " abc\n"}).reveal() == "abc"


@pytest.mark.parametrize("environment", [{}, {"KEY": ""}, {"KEY": " \n"}])
def test_a_variable_that_is_not_set_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(SecretError, match=r"^env:KEY is empty or not set$"):
        resolve("env:KEY", environment)


def test_a_literal_is_refused_without_being_shown() -> None:
    with pytest.raises(SecretError) as refused:
        resolve(CANARY)

    assert CANARY not in str(refused.value)


def secret_file(folder: Path, mode: int = 0o600, content: bytes = b"abc\n") -> Path:
    path = folder / "secret"
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_a_secret_comes_from_a_file_that_only_we_can_read(tmp_path: Path) -> None:
    assert resolve(f"file:{secret_file(tmp_path)}").reveal() == "abc"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610, 0o601, 0o777])
def test_a_file_that_others_can_touch_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(SecretError, match="can be read by others: chmod 600"):
        resolve(f"file:{secret_file(tmp_path, mode)}")


def test_a_link_to_a_secret_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(secret_file(tmp_path))

    with pytest.raises(SecretError, match="is a symbolic link"):
        resolve(f"file:{link}")


def test_a_pipe_is_refused_without_waiting_for_its_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)

    with pytest.raises(SecretError, match="is not a regular file"):
        resolve(f"file:{tmp_path / 'pipe'}")


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "empty"), (b"\xff\xfe", "is not text"), (b"x" * 70_000, "is larger than")],
)
def test_a_file_that_is_no_secret_is_refused(
    tmp_path: Path, content: bytes, said: str
) -> None:
    with pytest.raises(SecretError, match=said):
        resolve(f"file:{secret_file(tmp_path, content=content)}")


def test_a_missing_file_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="No such file"):
        resolve(f"file:{tmp_path / 'nowhere'}")


SHAPES = {
    "as it is": CANARY,
    "in a URL": quote_plus(CANARY),
    "in JSON": json.dumps(CANARY),
    "in a repr": repr({"x": CANARY}),
    "in a header": base64.b64encode(CANARY.encode()).decode(),
    "in hex": CANARY.encode().hex(),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_a_learned_secret_is_hidden_in_every_shape(shape: str) -> None:
    redaction = Redaction()
    redaction.learn(Secret(CANARY))

    cleaned = redaction.clean(f"before {shape} after")
    assert ("***" in cleaned, "kanarie" in cleaned, shape in cleaned) == (
        True,
        False,
        False,
    )


def test_a_line_of_a_private_key_is_hidden_by_itself() -> None:
    redaction = Redaction()
    line = "MC4CAQAwBQYDK2VwBCIEIJQ7"
    redaction.learn(Secret(f"-----BEGIN PRIVATE KEY-----\n{line}\n-----END"))

    assert redaction.clean(f"bad key: {line}!") == "bad key: ***!"


@given(st.text(min_size=1), st.text(), st.text())
def test_no_secret_survives_cleaning(value: str, before: str, after: str) -> None:
    value = f"secret-{value.encode(errors='replace').decode()}"
    redaction = Redaction()
    redaction.learn(Secret(value))

    assert value not in redaction.clean(f"{before}{value}{after}")


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        (
            "GET /order?symbol=A&signature=c0ffee&x=1",
            "GET /order?symbol=A&signature=***&x=1",
        ),
        ("{'X-MBX-APIKEY': 'vmPU'}", "{'X-MBX-APIKEY': '***'}"),
        ('{"apiKey":"vmPU","symbol":"A"}', '{"apiKey":"***","symbol":"A"}'),
        ("API-Sign: abc", "API-Sign: ***"),
    ],
)
def test_what_signs_a_request_is_hidden_by_its_name(text: str, cleaned: str) -> None:
    assert Redaction().clean(text) == cleaned
