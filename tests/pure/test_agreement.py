"""What an operator reads of a comparison with the exchange."""

from __future__ import annotations

import attrs
import pytest

from actors.messages import Reconciled
from actors.pure.agreement import agreement

PLAIN = Reconciled("main", "an operator asked", 1, 0, 0, (), 0)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (PLAIN, "main agrees with kraken: 1 order of ours open"),
        (
            attrs.evolve(PLAIN, open_orders=2, foreign_orders=1),
            "main agrees with kraken: 2 orders of ours open, 1 foreign one",
        ),
        (
            attrs.evolve(PLAIN, fills_booked=2, orders_settled=1),
            "main agrees with kraken: 1 order of ours open, 2 fills and 1 end of an order"
            " booked that nobody had told us of",
        ),
        (
            attrs.evolve(PLAIN, drifts=("BTC is short",)),
            "main does not agree with kraken: BTC is short (1 order of ours open)",
        ),
        (
            attrs.evolve(PLAIN, drifts=tuple("abcde")),
            "main does not agree with kraken: a; b; c and 2 more (1 order of ours open)",
        ),
    ],
)
def test_an_account_agrees_with_its_exchange_or_it_is_said_where_not(
    found: Reconciled, said: str
) -> None:
    assert agreement(found, "kraken") == said
