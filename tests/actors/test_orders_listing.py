"""What an exchange lists is doubted as soon as it refuses an order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from trio.testing import MockClock

from actors.messages import Instrument, VenueReject
from tests.actors.ledger_room import taken
from tests.actors.orders_house import House, open_house
from tests.words import BTC, SYMBOL


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as made:
        yield made


@pytest.mark.parametrize(
    ("code", "instruments", "doubted"),
    [
        ("-1013", {SYMBOL: BTC}, [SYMBOL]),
        ("expired", {SYMBOL: BTC}, []),  # our own word: it never left
        ("-1013", {}, [SYMBOL]),  # refused by us, because it is not listed
    ],
)
async def test_what_is_listed_is_doubted_when_an_order_is_refused(
    house: House,
    autojump_clock: MockClock,
    code: str,
    instruments: dict[str, Instrument],
    doubted: list[str],
) -> None:
    """I-12: a lot may be another by now, and the next exit would be refused, too."""
    house.instruments = instruments
    house.trading.answers = [VenueReject("", code, "Filter failure: LOT_SIZE")]
    await house.start()
    await house.approve()
    assert [it.symbol for it in taken(house.catalogue)] == doubted
