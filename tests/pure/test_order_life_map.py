"""The drawing of an order's life says what the code does."""

from __future__ import annotations

from actors.messages import OrderStatus
from actors.pure.order_life import MOVES, TERMINAL
from actors.pure.order_life_map import markdown, transitions


def test_every_move_of_the_table_is_drawn_and_no_other() -> None:
    drawn = {move for move, _ in transitions()}

    assert drawn == {(old, new) for old, news in MOVES.items() for new in news}


def test_every_status_is_explained() -> None:
    text = markdown()

    assert [status for status in OrderStatus if f"\n| {status.value} | " not in text] == []


def test_nothing_leaves_a_terminal_status() -> None:
    assert [move for move, _ in transitions() if move[0] in TERMINAL] == []
