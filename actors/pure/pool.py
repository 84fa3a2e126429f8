"""Which connection carries which subscription: the fewest that the limits allow. Pure.

Nobody moves who is carried already. What is new goes to the fullest connection with room,
so that one that empties stays empty and closes; another opens when all are full. What the
others have room for is moved off the emptiest connection by `emptied`.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from typing import TypeVar

S = TypeVar("S", bound=Hashable)


def spread(
    wanted: Collection[S],
    carried: Mapping[int, Collection[S]],
    *,
    subscriptions_max: int,
) -> dict[int, set[S]]:
    """Return what each connection is to carry: known numbers first, new ones after them.

    A connection with an empty set may close.
    Shape: subscriptions_max >= 1; each is carried by one connection only.
    """
    wants = set(wanted)
    shares = {number: wants & set(each) for number, each in carried.items()}
    fresh = sorted(wants.difference(*shares.values()), key=str)
    for number in sorted(shares, key=lambda number: (-len(shares[number]), number)):
        room = max(0, subscriptions_max - len(shares[number]))
        shares[number].update(fresh[:room])
        fresh = fresh[room:]
    number = max(shares, default=0)
    for first in range(0, len(fresh), subscriptions_max):
        number += 1
        shares[number] = set(fresh[first : first + subscriptions_max])
    return shares


def emptied(
    shares: Mapping[int, Collection[S]], *, subscriptions_max: int
) -> tuple[int, dict[int, set[S]]] | None:
    """Return the emptiest connection and who takes its share; None: all are needed."""
    if len(shares) < 2:
        return None
    number = min(shares, key=lambda number: (len(shares[number]), -number))
    others = {other: each for other, each in shares.items() if other != number}
    room = sum(max(0, subscriptions_max - len(each)) for each in others.values())
    if len(shares[number]) > room:
        return None
    wanted = {each for share in shares.values() for each in share}
    after = spread(wanted, others, subscriptions_max=subscriptions_max)
    moves = {other: after[other] - set(each) for other, each in others.items()}
    return number, {other: taken for other, taken in moves.items() if taken}
