"""Facts as one record of the emergency file."""

from __future__ import annotations

from decimal import Decimal

import pytest

from actors.pure.fact_record import pack, unpack
from actors.pure.facts import UnreadableFact
from tests.words import attempted, exit_intended, filled


def test_facts_come_back_as_they_were() -> None:
    facts = exit_intended(price=Decimal("0.10")), attempted(), filled("0.5", "100.00")
    assert unpack(pack(facts)) == facts


@pytest.mark.parametrize(
    "record", [b"", b"{}", b'[["filled"]]', b'[["of_tomorrow",{}]]', b'[["attempted",{}]]']
)
def test_what_is_no_record_of_ours_is_refused(record: bytes) -> None:
    with pytest.raises(UnreadableFact):
        unpack(record)
