"""Who says what to whom: the wiring of the fleet, as data.

The stage hands out doors by this table and by nothing else; `docs/wiring.md` is printed
from it; a test proves that the edges which wait form no cycle (DESIGN: wishes wait, facts
do not, prices are replaced).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import attrs

from actors import account, board, bot, orders, positions, risk
from actors.messages import Fact

Kind = Literal["wish", "fact", "latest"]


class UndeclaredEdge(LookupError):
    """An actor was about to be given a door that the wiring table does not know."""


@attrs.frozen
class Edge:
    """One kind of edge from one role to another, and the words that cross it."""

    sender: str
    kind: Kind
    receiver: str
    words: tuple[str, ...]


EDGES: tuple[Edge, ...] = (
    Edge("bot", "wish", "risk", ("OrderIntent", "LegQuestion")),
    Edge("risk", "wish", "orders", ("Approved",)),
    Edge("bot", "wish", "orders", ("ExitIntent", "Approved", "LegQuestion")),
    Edge("positions", "wish", "orders", ("ExitIntent", "CancelIntent")),
    *(
        Edge(role, "wish", "journal", ("Record", "Recall"))
        for role in (
            "clock",
            "feed",
            "fallback",
            "account",
            "risk",
            "orders",
            "positions",
            "bot",
            "board",
            "fleet",
        )
    ),
    Edge("operator", "wish", "board", ("Question",)),
    Edge("board", "wish", "account", ("Question",)),
    Edge("board", "wish", "orders", ("ExitIntent", "CancelIntent")),
    *(
        Edge(role, "latest", receiver, ("Wanted",))
        for role in ("risk", "positions", "bot", "board")
        for receiver in ("feed", "fallback")
    ),
    *(
        Edge("feed", "latest", receiver, words)
        for receiver, words in {
            "bot": ("Ticker", "BookTop", "Trades", "Candles", "BookSnapshot", "FeedState"),
            "risk": ("Ticker", "FeedState"),
            "positions": ("Ticker", "BookTop", "FeedState"),
            "fallback": ("Ticker",),
            "board": ("Ticker", "FeedState"),
        }.items()
    ),
    *(
        Edge("fallback", "latest", receiver, ("Ticker",))
        for receiver in ("bot", "risk", "positions", "board")
    ),
    *(
        Edge("clock", "latest", receiver, ("ClockStepped",))
        for receiver in ("feed", "account", "risk", "positions", "bot")
    ),
    Edge("clock", "latest", "orders", ("ClockJudged",)),
    Edge("clock", "latest", "board", ("Alarmed",)),
    Edge("account", "latest", "orders", ("Lease",)),
    Edge("fleet", "latest", "board", ("Alarmed",)),
    Edge("journal", "latest", "orders", ("LedgerState",)),
    Edge("journal", "latest", "board", ("Alarmed",)),
    Edge("catalogue", "latest", "board", ("Alarmed",)),
    Edge("orders", "latest", "catalogue", ("ListingDoubted",)),
    Edge("bot", "latest", "board", ("Evaluated", "Alarmed")),
    Edge("positions", "latest", "board", ("PositionSeen", "Alarmed")),
    Edge("account", "latest", "board", ("Alarmed",)),
    Edge("orders", "latest", "board", ("Alarmed",)),
)

READS: Mapping[str, frozenset[type[Fact]]] = {
    "account": account.READS,
    "risk": risk.READS,
    "orders": orders.READS,
    "positions": positions.READS,
    "bot": bot.READS,
    "board": board.READS,
}


def edges() -> tuple[Edge, ...]:
    """Return every edge, the facts among them."""
    facts = tuple(
        Edge("journal", "fact", role, tuple(sorted(kind.__name__ for kind in kinds)))
        for role, kinds in READS.items()
    )
    return (*EDGES, *facts)


def check_edge(sender: str, kind: Kind, receiver: str) -> None:
    """Refuse a door that is not on the table.

    Raises:
      UndeclaredEdge: names the edge.
    """
    if not any(
        (edge.sender, edge.kind, edge.receiver) == (sender, kind, receiver)
        for edge in edges()
    ):
        raise UndeclaredEdge(f"{sender} --{kind}--> {receiver} is not on the wiring table")


def waiting_cycle(table: Iterable[Edge]) -> tuple[str, ...]:
    """Return roles that wait for one another in a ring, or () when there are none."""
    waits: dict[str, set[str]] = {}
    for edge in table:
        if edge.kind == "wish":
            waits.setdefault(edge.sender, set()).add(edge.receiver)
    rings = (_ring(role, (), waits) for role in sorted(waits))
    return next(filter(None, rings), ())


def _ring(
    role: str, path: tuple[str, ...], waits: Mapping[str, set[str]]
) -> tuple[str, ...]:
    if role in path:
        return (*path[path.index(role) :], role)
    rings = (_ring(next_, (*path, role), waits) for next_ in sorted(waits.get(role, ())))
    return next(filter(None, rings), ())


BORDER = (
    "",
    "Each of several owners (`owner` in `[accounts.NAME]`) has a group under `owners`,",
    "with a `journal:OWNER` and a ledger. What is about one owner stays in that group:",
    "only the board, where operators look and speak, hears every journal, and what the",
    "house tells everybody is prices and time. Another test proves that.",
    "",
)


def as_markdown(tree: Iterable[str]) -> str:
    """Return the wiring as docs/wiring.md shows it."""
    lines = [
        "# Wiring",
        "",
        "Printed by `shoal map`; `just map` writes it again, and a test compares.",
        "",
        "## The tree",
        "",
        "Starts top to bottom, stops bottom to top.",
        "",
        "```",
        *tree,
        "```",
        *BORDER,
        "## Edges that wait: wishes",
        "",
        "They form no cycle; a test proves it.",
        "",
        "| from | to | words |",
        "|---|---|---|",
        *_rows("wish"),
        "",
        "## Edges that never wait: the newest replaces the untaken one",
        "",
        "| from | to | words |",
        "|---|---|---|",
        *_rows("latest"),
        "",
        "## Facts: the journal tells, and nobody else",
        "",
        "| to | facts |",
        "|---|---|",
    ]
    lines += [
        f"| {edge.receiver} | {', '.join(edge.words)} |"
        for edge in edges()
        if edge.kind == "fact"
    ]
    return "\n".join(lines) + "\n"


def _rows(kind: Kind) -> list[str]:
    return [
        f"| {edge.sender} | {edge.receiver} | {', '.join(edge.words)} |"
        for edge in edges()
        if edge.kind == kind
    ]
