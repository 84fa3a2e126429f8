"""Foreign orders made a bot's own, and positions brought down to what is there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest

from actors.messages import Asked, Corrected, Fact, OrderStatus, Side, VenueFill, VenueOrder
from actors.pure.adopting import adopted
from actors.pure.books import Books
from actors.pure.commands import NotPossible, Subject
from actors.pure.correcting import corrected
from actors.pure.facts import decode, key_of
from tests.words import SYMBOL, attempted, exit_intended, filled, intended

DAWN = Subject("dawn", "main")
FOREIGN = VenueOrder(
    "binance",
    SYMBOL,
    "web_1",
    "v7",
    Side.BUY,
    "LIMIT",
    OrderStatus.OPEN,
    Decimal(2),
    Decimal(0),
    Decimal(90),
    None,
    5_000,
)
EXECUTED = VenueFill(
    "binance",
    SYMBOL,
    "web_1",
    "v7",
    "t7",
    Side.BUY,
    Decimal(90),
    Decimal("0.5"),
    Decimal(0),
    "USDT",
    is_maker=True,
    trade_ms=3_000,
)
TARGET = attrs.evolve(
    FOREIGN,
    side=Side.SELL,
    order_type="TAKE_PROFIT_LIMIT",
    base=Decimal(1),
    stop_price=Decimal(110),
)
HOLDS = (intended(), attempted(), filled(1, 100))


def books(*facts: Fact) -> Books:
    made = Books()
    for fact in facts:
        made.apply(fact)
    return made


def adopt(
    venue: VenueOrder, *fills: VenueFill, of: Books | None = None, bot: Subject = DAWN
) -> Books:
    """Return the books after an adoption."""
    made = of or Books()
    asked = Asked("adopt", venue.client_order_id, "mine", "ann", bot=bot.bot)
    for fact in adopted(asked, bot, venue, fills, made):
        made.apply(fact)
    return made


def test_an_adopted_order_is_tracked_under_its_own_id() -> None:
    """R-09, R-16."""
    order = adopt(FOREIGN).orders.get("web_1")
    assert order is not None
    assert (order.bot, order.status, order.venue_order_id) == (
        "dawn",
        OrderStatus.OPEN,
        "v7",
    )
    assert (order.base, order.reserved_quote, order.is_entry) == (2, 180, True)


def test_its_executions_from_before_are_asked_for_too() -> None:
    part = attrs.evolve(FOREIGN, filled_base=Decimal("0.5"))
    order = adopt(part, EXECUTED).orders.get("web_1")
    assert order is not None
    assert order.attempt_ms == 3_000


def test_a_sale_is_an_exit_of_what_is_held() -> None:
    sale = attrs.evolve(FOREIGN, side=Side.SELL, base=Decimal("0.6"))
    made = adopt(sale, of=books(*HOLDS))
    assert made.orders.exiting_base("dawn", SYMBOL) == Decimal("0.6")


def test_a_stop_that_sells_is_the_position_s_own_stop() -> None:
    stop = attrs.evolve(TARGET, order_type="STOP_LOSS_LIMIT", stop_price=Decimal(95))
    order = adopt(stop, of=books(*HOLDS)).orders.get("web_1")
    assert order is not None
    assert order.is_protective


@pytest.mark.parametrize(
    ("venue", "facts", "said"),
    [
        (FOREIGN, (intended(), attempted()), "dawn has an entry open already: c1"),
        (attrs.evolve(FOREIGN, side=Side.SELL), (), "dawn has 0 BTC/USDT that no other"),
        (attrs.evolve(FOREIGN, side=Side.SELL), HOLDS, "dawn has 1 BTC/USDT"),
        (
            attrs.evolve(FOREIGN, side=Side.SELL, base=Decimal(1)),
            (*HOLDS, exit_intended(base=Decimal("0.5")), attempted("x1", "cx1")),
            "dawn has 0.5 BTC/USDT",
        ),
        (attrs.evolve(FOREIGN, filled_base=Decimal(1)), (), "would be lost"),
        (
            attrs.evolve(TARGET, order_type="STOP_LIMIT STOP_UP"),
            HOLDS,
            r"web_1 sells at a target \(STOP_LIMIT STOP_UP\): cancel it",
        ),
        (
            attrs.evolve(TARGET, order_type="limit stop entry"),
            HOLDS,
            r"web_1 sells at a target \(limit stop entry\): cancel it",
        ),
        (TARGET, HOLDS, r"web_1 sells at a target \(TAKE_PROFIT_LIMIT\): cancel it"),
    ],
)
def test_what_the_bot_could_not_have_sent_is_not_adopted(
    venue: VenueOrder, facts: tuple[Fact, ...], said: str
) -> None:
    with pytest.raises(NotPossible, match=said):
        adopt(venue, of=books(*facts))


def correct(of: Books, total: str, **changes: Any) -> Corrected:
    asked = Asked("correct", SYMBOL, "sold by hand", "ann", **changes)
    return corrected(of, "main", asked, "BTC", Decimal(total))


def test_what_is_missing_leaves_the_position_at_its_cost() -> None:
    held = books(*HOLDS)
    fact = correct(held, "0.25")
    assert fact == Corrected("dawn", "main", SYMBOL, Decimal("0.75"), "sold by hand", 1)
    held.apply(fact)
    now = held.of("dawn", SYMBOL)
    assert (now.base, now.cost_quote, now.realized_quote) == (Decimal("0.25"), 25, 0)
    with pytest.raises(NotPossible, match="nothing is missing"):
        correct(held, "0.25")


def test_two_corrections_of_one_state_are_one_fact_and_the_next_is_another() -> None:
    """Whoever they name: the same coins are missing once only."""
    held = books(*HOLDS, filled(2, 100, bot="dusk", client_order_id="d1", trade_id="d1"))
    first, second = correct(held, "2", bot="dawn"), correct(held, "2", bot="dusk")
    assert key_of(first) == key_of(second) == "corrected/main/BTC/1"
    held.apply(first)
    assert key_of(correct(held, "0", bot="dusk")) == "corrected/main/BTC/2"


def test_a_correction_of_an_old_ledger_is_read_and_counted() -> None:
    body = b'{"bot":"dawn","account":"main","symbol":"BTC/USDT","base":"0.5","reason":""}'
    old = decode("corrected", body)
    assert key_of(old) is None
    assert correct(books(*HOLDS, old), "0").number == 2


def test_a_correction_that_a_salvage_lost_gives_its_number_to_no_other() -> None:
    second = Corrected("dawn", "main", SYMBOL, Decimal("0.5"), "", 2)
    assert correct(books(*HOLDS, second), "0").number == 3


def test_whose_it_was_must_be_said_where_two_hold_it() -> None:
    two = books(*HOLDS, filled(2, 100, bot="dusk", client_order_id="d1", trade_id="d1"))
    with pytest.raises(NotPossible, match=r"held by dawn \(1\), dusk \(2\)"):
        correct(two, "0")
    assert correct(two, "0", bot="dusk").base == 2
    assert correct(two, "2.5", bot="dusk").base == Decimal("0.5")


@pytest.mark.parametrize(
    ("facts", "changes", "said"),
    [
        ((), {}, "no bot on main holds BTC/USDT"),
        (HOLDS, {"bot": "dusk"}, "dusk holds no BTC/USDT; dawn does"),
        (
            (*HOLDS, exit_intended(), attempted("x1", "cx1")),
            {},
            "an order on BTC is not settled",
        ),
    ],
)
def test_what_is_not_corrected_and_why(
    facts: tuple[Fact, ...], changes: dict[str, str], said: str
) -> None:
    with pytest.raises(NotPossible, match=said):
        correct(books(*facts), "0", **changes)
