"""What a bot holds, what it paid and what it earned, to the last digit."""

from __future__ import annotations

from decimal import Decimal
from itertools import permutations

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from actors.messages import ExitReason, Filled, PositionClosed, Side
from actors.pure.books import Books
from actors.pure.money import entry_base
from actors.pure.position_math import (
    FLAT,
    LATE_MAX,
    Holding,
    protective_base,
    sellable_base,
)
from tests.words import BTC, SYMBOL, attempted, exit_intended, filled, intended, sold


def after(*fills: Filled) -> Holding:
    holding = FLAT
    for fill in fills:
        holding = holding.after(fill)
    return holding


def test_quantity_is_a_share_of_the_capital_down_to_the_lot() -> None:
    assert entry_base(Decimal(10_000), Decimal(10), Decimal(64321), BTC) == Decimal(
        "0.01554"
    )


def test_the_entry_is_the_average_of_the_fills() -> None:
    holding = after(filled(1, 100), filled(3, 104, trade_id="t2"))
    assert (holding.base, holding.entry, holding.cost_quote) == (4, 103, 412)


def test_a_fee_in_the_base_asset_is_not_held() -> None:
    holding = after(filled(1, 100, fee=Decimal("0.001"), fee_asset="BTC"))
    assert (holding.base, holding.entry, holding.cost_quote) == (
        Decimal("0.999"),
        100,
        100,
    )


def test_a_fee_in_the_quote_asset_is_a_cost() -> None:
    holding = after(filled(1, 100, fee=Decimal("0.1")), sold(1, 110, fee=Decimal("0.11")))
    assert holding.realized_quote == Decimal("9.79")


def test_a_fee_in_a_third_asset_is_summed_apart() -> None:
    holding = after(
        filled(1, 100, fee=Decimal("0.01"), fee_asset="BNB"),
        sold(1, 110, fee=Decimal("0.02"), fee_asset="BNB"),
    )
    assert (holding.realized_quote, holding.other_fees) == (10, (("BNB", Decimal("0.03")),))


def test_a_partial_exit_realizes_its_share() -> None:
    holding = after(filled(4, 100), sold(1, 110))
    assert (holding.base, holding.cost_quote, holding.realized_quote) == (3, 300, 10)
    assert (holding.unrealized(Decimal(90)), holding.exit_price) == (-30, 110)


def test_the_position_is_named_after_its_first_entry() -> None:
    holding = after(filled(1, 100), filled(1, 101, client_order_id="c2", trade_id="t2"))
    assert holding.position_id == "c1"


def test_closing_writes_dust_off_and_keeps_it_to_be_sold_later() -> None:
    held = after(filled(1, 100), sold("0.9", 110))
    assert (held.realized_quote, held.loss_of_dust()) == (9, -1)
    flat = held.closed(held.base)
    assert (flat.is_open, flat.base, flat.cost_quote) == (False, Decimal("0.1"), 0)


LATE = filled(1, 99, trade_id="t9")
LATER = filled(1, 97, trade_id="t11")
AGAIN = sold("0.4", 98, trade_id="t10")
DUST_SOLD = sold("0.05", 90, trade_id="t12")


def test_a_late_fill_of_a_closed_position_is_a_position_of_its_own() -> None:
    late = after(filled(1, 100), sold(1, 90)).closed(Decimal(0)).after(LATE)
    assert late.position_id == "c1/t9"


def test_no_position_takes_the_id_of_one_that_was_closed_long_before() -> None:
    """The ledger tells one end of each: it would never be closed."""
    first = after(filled(1, 100), sold(1, 90)).closed(Decimal(0))
    bought = filled(1, 100, client_order_id="c2", trade_id="t2")
    second = first.after(bought).after(sold(1, 90, trade_id="t3")).closed(Decimal(0))
    assert second.after(LATE).position_id == "c1/t9"


@pytest.mark.parametrize("sold_base", [1, "0.9", "0.95"])
@pytest.mark.parametrize("since", [(LATE,), (LATE, AGAIN), (LATE, AGAIN, LATE)])
def test_what_was_recorded_while_a_position_was_closed_came_afterwards(
    sold_base: str | int, since: tuple[Filled, ...]
) -> None:
    """R-12: whoever closes it and whoever reads the ledger believe the same."""
    held = after(filled(1, 100), sold(sold_base, 90))
    whole = held
    for fill in since:
        whole = whole.after(fill)
    closed = held.closed(held.base)
    for fill in since:
        closed = closed.after(fill)
    assert whole.closed(held.base) == closed
    assert closed.position_id == "c1/t9"


def test_what_was_recorded_while_less_than_a_lot_was_closed_came_afterwards() -> None:
    """R-12: a first fill may be less than a lot after its fee, and nothing sold of it."""
    held = after(filled("0.00001", 100, fee=Decimal("0.00000001"), fee_asset="BTC"))
    assert held.after(LATE).closed(held.base) == held.closed(held.base).after(LATE)


sides = st.lists(st.tuples(st.booleans(), st.integers(1, 9)), max_size=LATE_MAX)


@given(sides)
def test_fills_told_while_a_position_was_closed_count_as_if_told_afterwards(
    told: list[tuple[bool, int]],
) -> None:
    """R-13: whoever decided the end has not heard them yet; a restart hears them before."""
    fills = [
        filled(f"0.{units:03}1", 100 + number, trade_id=f"b{number}")
        if is_buy
        else sold(f"0.{units:03}", 90 + number, trade_id=f"s{number}")
        for number, (is_buy, units) in enumerate(told)
    ]
    held = after(filled(1, 100), sold("0.9", 95))
    decided, dust = held, held.base
    recorded = after(filled(1, 100), sold("0.9", 95), *fills)
    bases = [after(filled(1, 100), sold("0.9", 95), *fills[:n]).base for n in range(1, 9)]
    assume(dust not in bases[: len(fills)])
    flat = decided.closed(dust)
    for fill in fills:
        flat = flat.after(fill)
    assert recorded.closed(dust) == flat


@pytest.mark.parametrize("since", [*permutations((LATE, LATER, DUST_SOLD))])
def test_late_fills_of_both_sides_came_afterwards_in_any_order(
    since: tuple[Filled, ...],
) -> None:
    """R-12: the exit had ended, too, before its last fill was told."""
    whole = after(filled(1, 100), sold("0.95", 90))
    closed = whole.closed(whole.base)
    for fill in since:
        whole, closed = whole.after(fill), closed.after(fill)
    assert whole.closed(Decimal("0.05")) == closed
    assert (closed.is_open, closed.base) == (True, 2)


def test_a_late_sale_of_the_dust_is_no_part_of_the_next_position_but_its_money_is() -> None:
    flat = after(filled(1, 100), sold("0.95", 90)).closed(Decimal("0.05"))
    held = flat.after(sold("0.05", 90, trade_id="x2")).after(LATE)
    assert (held.base, held.sold_base, held.exit_price) == (1, 0, 0)
    assert held.realized_quote == Decimal("4.50")


def test_what_an_operator_took_out_does_not_come_back_with_a_late_fill() -> None:
    held = after(filled(1, 100), sold("0.5", 90), LATE).corrected(Decimal(1))
    assert held.closed(Decimal("0.4")).base == Decimal("0.5")
    assert held.after(LATE).closed(Decimal("0.5")).base == Decimal("1.5")


def test_of_fills_that_come_late_the_newest_are_kept() -> None:
    held = after(filled(1, 100), sold("0.5", 90))
    for number in range(3 * LATE_MAX):
        buy = filled(1, 100, trade_id=f"b{number}")
        held = held.after(buy).after(sold(1, 100, trade_id=f"s{number}"))
        assert len(held.late) <= LATE_MAX
    assert held.after(LATE).closed(held.base).base == held.base + 1


def test_what_is_below_the_venue_minimum_cannot_be_sold() -> None:
    assert sellable_base(Decimal("0.000123456"), Decimal(50_000), BTC) == Decimal("0.00012")
    assert sellable_base(Decimal("0.00009"), Decimal(50_000), BTC) == 0  # 4.50 of 5 USDT
    assert sellable_base(Decimal("0.000009"), Decimal(1_000_000), BTC) == 0  # no lot


def books() -> Books:
    sheet = Books()
    for fact in (intended(), attempted(), exit_intended(), attempted("x1", "cx1")):
        sheet.apply(fact)
    return sheet


def test_two_bots_on_one_symbol_hold_two_positions() -> None:
    """R-09: ownership is by the fills of a bot's own orders."""
    sheet = books()
    sheet.apply(filled(1, 100))
    sheet.apply(filled(2, 50, bot="dusk", client_order_id="d1", trade_id="t2"))
    assert (sheet.of("dawn", SYMBOL).base, sheet.of("dusk", SYMBOL).base) == (1, 2)
    assert sheet.holdings.base_by_symbol() == {SYMBOL: 3}


def test_a_position_closed_twice_closes_once() -> None:
    sheet = books()
    closed = PositionClosed(
        "dawn",
        "main",
        SYMBOL,
        "c1",
        ExitReason.SIGNAL,
        Decimal(1),
        Decimal(0),
        Decimal(0),
        "",
    )
    sheet.apply(filled(1, 100))
    assert (sheet.apply(closed), sheet.apply(closed)) == (True, False)


@given(shares=st.lists(st.decimals("0.001", "0.3", places=3), min_size=1, max_size=3))
def test_two_bots_facts_in_another_order_make_the_same_state(
    shares: list[Decimal],
) -> None:
    """I-5, R-13: an actor hears its own facts a moment before the ledger tells them."""
    mine = [
        attrs.evolve(filled(1, "59999.97"), fee=Decimal("0.003"), fee_asset="BTC"),
        *(sold(part, 101, trade_id=f"s{part}") for part in shares),
    ]
    theirs = [
        attrs.evolve(fact, bot="dusk", price=fact.price + Decimal("0.03")) for fact in mine
    ]
    one, other = books(), books()
    for fact in (*mine, *theirs):
        one.holdings.apply(fact)
    for pair in zip(theirs, mine, strict=True):
        for fact in pair:
            other.holdings.apply(fact)
    assert one == other


@given(data=st.data(), count=st.integers(1, 8))
def test_fills_told_twice_count_once(data: st.DataObject, count: int) -> None:
    """R-11, I-5: live, on replay and at start-up."""
    fills = [
        filled("0.1", 100 + n, trade_id=f"t{n}")
        if n % 2 == 0
        else sold("0.1", 100 + n, trade_id=f"t{n}")
        for n in range(count)
    ]
    plain, noisy = books(), books()
    for n, fill in enumerate(fills):
        plain.apply(fill)
        noisy.apply(fill)
        for again in data.draw(st.lists(st.sampled_from(fills[: n + 1]), max_size=3)):
            assert not noisy.apply(again)
    assert noisy == plain


@given(
    fills=st.lists(
        st.tuples(
            st.sampled_from(Side),
            st.decimals("0.001", "5", places=3),
            st.decimals("1", "1000", places=2),
            st.decimals("0", "0.001", places=4),
        ),
        max_size=20,
    )
)
def test_money_is_neither_made_nor_lost_in_the_sums(
    fills: list[tuple[Side, Decimal, Decimal, Decimal]],
) -> None:
    """What was realized, less the cost of what is held, is what flowed."""
    holding, flow, base = FLAT, Decimal(0), Decimal(0)
    for n, (side, amount, price, fee) in enumerate(fills):
        size = min(amount, base) if side is Side.SELL else amount
        if not size:
            continue
        sign = 1 if side is Side.BUY else -1
        holding = holding.after(filled(size, price, side=side, trade_id=str(n), fee=fee))
        flow -= sign * size * price + fee
        base += sign * size
    assert holding.base == base
    assert abs(holding.realized_quote - holding.cost_quote - flow) < Decimal("1e-15")


@pytest.mark.parametrize(
    ("bounds", "most"),
    [
        ({}, "1"),
        ({"base_max": Decimal("0.3")}, "0.3"),
        ({"quote_max": Decimal(20)}, "0.2"),
        ({"base_max": Decimal(0), "quote_max": Decimal(0)}, "1"),
    ],
)
def test_a_stop_is_no_larger_than_one_order_may_be(
    bounds: dict[str, Decimal], most: str
) -> None:
    """Refused whole, none of it would rest at the exchange (I-14)."""
    small = attrs.evolve(BTC, **bounds)
    assert protective_base(Decimal(1), Decimal(100), small) == Decimal(most)
