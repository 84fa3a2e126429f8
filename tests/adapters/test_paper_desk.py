"""A paper account is read from its file page by page, and is the same as read at once."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from actors.messages import OrderRequest, OrderStatus, OrderType, Side
from actors.pure.paper_account import KEEP_MS
from actors.pure.paper_words import PaperEnded, PaperFact, PaperFilled, PaperPlaced
from adapters.paper.desk import PaperDesk
from adapters.sqlite.inline import InlineStore
from tests.actors.ledger_room import RunClock
from tests.words import SYMBOL

NOW_MS = 2 * KEEP_MS
LONG_AGO_MS, OF_LATE_MS = 1, NOW_MS - 1
REST = OrderRequest(
    "", SYMBOL, Side.BUY, OrderType.LIMIT, Decimal(1), limit_price=Decimal(9)
)


class LateClock(RunClock):
    def now_ms(self) -> int:
        return NOW_MS


def placed(number: int, at_ms: int) -> PaperPlaced:
    request = attrs.evolve(REST, client_order_id=f"c{number}")
    return PaperPlaced(request, number, "BTC", "USDT", at_ms)


def filled(number: int, trade_id: int, at_ms: int) -> PaperFilled:
    half, price = Decimal("0.5"), Decimal(9)
    order_id = f"c{number}"
    return PaperFilled(order_id, trade_id, price, half, Decimal(0), "BTC", True, at_ms)


def cancelled(number: int, at_ms: int) -> PaperEnded:
    return PaperEnded(f"c{number}", OrderStatus.CANCELED, "", at_ms)


HISTORY: list[PaperFact] = [
    *[placed(1, LONG_AGO_MS), placed(2, LONG_AGO_MS), placed(3, LONG_AGO_MS)],
    *[filled(1, 1, LONG_AGO_MS), filled(1, 2, LONG_AGO_MS), cancelled(3, LONG_AGO_MS)],
    *[filled(2, 3, OF_LATE_MS), placed(4, OF_LATE_MS), cancelled(4, OF_LATE_MS)],
    *[placed(5, OF_LATE_MS), filled(5, 4, OF_LATE_MS)],
]


def desk(store: InlineStore) -> PaperDesk:
    return PaperDesk("binance", "main", {"USDT": Decimal(100)}, store, LateClock())


@pytest.mark.parametrize("page_rows", [1, 2, 3, 6, 7, len(HISTORY) + 1])
async def test_an_account_of_many_pages_is_that_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page_rows: int
) -> None:
    """What ended long ago is forgotten between two pages, so memory stays small."""
    store = InlineStore(tmp_path / "venue-main.db")
    before = desk(store)
    for fact in HISTORY:
        await before.commit([fact])
    once = await desk(store).account()
    monkeypatch.setattr("adapters.paper.desk.PAGE_ROWS", page_rows)
    paged = await desk(store).account()
    kept = await before.account()
    await store.close()
    assert (repr(paged), repr(kept)) == (repr(once), repr(once))
    assert list(once.orders) == ["c2", "c4", "c5"]
