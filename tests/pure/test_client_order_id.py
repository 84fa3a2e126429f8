"""Ids that three exchanges accept and by which we know our own orders."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.pure.client_order_id import (
    IntentIds,
    account_tag,
    client_order_id,
    epoch_of,
    epoch_text,
    is_ours,
)

# Binance, error -1100; Coinbase and Kraken: a UUID with hyphens.
BINANCE = re.compile(r"^[a-zA-Z0-9-_]{1,36}$")
UUID_V4 = re.compile(
    r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
)
TAG, EPOCH = account_tag("key 1"), epoch_text(0xABCDEF1)


@given(intent=st.text(max_size=60), attempt=st.integers(1, 99), key=st.text(max_size=9))
def test_every_id_fits_all_three_exchanges(intent: str, attempt: int, key: str) -> None:
    text = client_order_id(account_tag(key), epoch_text(attempt), intent, attempt)
    assert BINANCE.match(text)
    assert UUID_V4.match(text)
    assert UUID(text).version == 4


def test_the_same_attempt_has_the_same_id_and_the_next_another() -> None:
    first = client_order_id(TAG, EPOCH, "i1", 1)
    assert first == client_order_id(TAG, EPOCH, "i1", 1)
    assert len({first, client_order_id(TAG, EPOCH, "i1", 2)}) == 2


def test_an_id_tells_account_and_epoch() -> None:
    text = client_order_id(TAG, EPOCH, "i1", 1)
    assert (is_ours(text, TAG), is_ours(text, account_tag("key 2"))) == (True, False)
    assert epoch_of(text) == EPOCH


@pytest.mark.parametrize(
    "text", ["", "web_1234", "x" * 36, TAG + "-0000-1000-8000-" + 12 * "0"]
)
def test_foreign_ids_are_not_ours(text: str) -> None:
    assert (is_ours(text, TAG), epoch_of(text)) == (False, None)


def test_a_bad_tag_is_refused() -> None:
    with pytest.raises(ValueError, match="not a tag"):
        client_order_id("main", EPOCH, "i1", 1)


def test_intent_ids_of_two_lives_differ() -> None:
    """I-9: the same number in another life, run or actor is another intent."""
    lives = [
        IntentIds(EPOCH, run, actor, life)
        for run in ("r1", "r2")
        for actor in ("dawn", "dusk")
        for life in (1, 2)
    ]
    ids = [each.next() for each in lives for _ in range(3)]
    assert len(set(ids)) == len(ids)
