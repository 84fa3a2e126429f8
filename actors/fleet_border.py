"""The border between owners: what may cross it, and the proof that nothing else does.

Several owners share one house, so a word about one could come to another's actor by a door
that should not be. The stage asks here before it gives out a door; a test follows the whole
wiring table, with two owners and more, and finds no way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import attrs

from actors.fleet_wiring import Edge, Kind
from actors.pure.owners import HOUSE

# Who has a place in the group of each owner; the others are the house's. Of journals there
# is one for each of them, and one for the house.
GROUP = frozenset({"account", "risk", "orders", "positions", "bot"})
# What the whole market and every clock may know, whoever asked for it.
PUBLIC = frozenset(
    {"Ticker", "BookTop", "Trades", "Candles", "BookSnapshot", "FeedState", "ClockStepped"}
)


class ForeignDoor(LookupError):
    """An actor was about to be given a door into another owner's group."""


@attrs.frozen
class Place:
    """A role in the group of one owner, or in the house."""

    role: str
    owner: str = HOUSE

    def __str__(self) -> str:
        return f"{self.role} of {self.owner}" if self.owner else self.role


def is_inside(sender: Place, kind: Kind, receiver: Place) -> bool:
    """Tell whether an edge respects the border between owners, and around each.

    Facts and wishes stay within a group, and what a journal says of its own ledger. Only
    the board hears every journal, and brings what an operator says to whom it is about.
    """
    if sender.owner == receiver.owner:
        return True
    if HOUSE not in {sender.owner, receiver.owner}:
        return False
    is_asked = sender.role == "board" and kind == "wish"
    is_heard = receiver.role == "board" and kind in {"fact", "latest"}
    is_shown = sender.role != "journal" and kind == "latest"
    return is_asked or is_heard or is_shown


def check_border(sender: Place, kind: Kind, receiver: Place) -> None:
    """Refuse a door that crosses the border.

    Raises:
      ForeignDoor: names the edge.
    """
    if not is_inside(sender, kind, receiver):
        raise ForeignDoor(f"{sender} --{kind}--> {receiver} crosses the border")


def places(table: Iterable[Edge], owners: Iterable[str]) -> dict[str, list[Place]]:
    """Return where each role of the table stands in a fleet of these owners."""
    roles = {role for edge in table for role in (edge.sender, edge.receiver)}
    houses = {role: [] if role in GROUP else [Place(role)] for role in sorted(roles)}
    for owner in owners:
        for role in sorted(roles & (GROUP | {"journal"})):
            houses[role].append(Place(role, owner))
    return houses


def leak(table: Iterable[Edge], owner: str, others: Iterable[str]) -> tuple[str, ...]:
    """Return how something about `owner` may reach another's actor, or () if it cannot.

    Followed is every edge that crosses no border and carries more than what is public.
    The board is an end: it asks the market for prices, and tells a journal only what an
    operator says.
    """
    edges_ = tuple(table)
    standing = places(edges_, (owner, *others))
    paths: dict[Place, tuple[str, ...]] = {
        place: (str(place),)
        for spots in standing.values()
        for place in spots
        if place.owner == owner
    }
    waiting = list(paths)
    for place in waiting:
        if place.owner not in {owner, HOUSE}:
            return paths[place]
        for next_ in _hearers(edges_, standing, place):
            if next_ not in paths:
                paths[next_] = (*paths[place], str(next_))
                waiting.append(next_)
    return ()


def _hearers(
    table: Iterable[Edge], standing: Mapping[str, list[Place]], place: Place
) -> Iterator[Place]:
    """Return whom a place tells what is not public; the board tells nobody."""
    for edge in table:
        is_told = edge.sender == place.role != "board" and not PUBLIC.issuperset(edge.words)
        for receiver in standing[edge.receiver] if is_told else ():
            if is_inside(place, edge.kind, receiver):
                yield receiver
