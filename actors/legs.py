"""How the legs of a group are asked for: every door says yes before either leg leaves.

[bot] --LegQuestion (wish)--> [risk]    would you approve it? a yes is reserved for a moment
[bot] --LegQuestion (wish)--> [orders]  would you send it now?
[bot] --Approved, ExitIntent (wish)--> [orders] of both accounts, at once
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import trio

from actors.mailbox import Mailbox
from actors.messages import (
    Approved,
    ExitIntent,
    Instrument,
    OrderIntent,
    Purpose,
    Refused,
    Wanted,
)
from actors.records import Receipt

ANSWER_S = 1.0  # of each door; a door that is silent says no

LegIntent = OrderIntent | ExitIntent


@attrs.frozen
class LegMay:
    """The door would let the leg pass."""

    intent_id: str


LegAnswer = Approved | LegMay | Refused


@attrs.frozen
class LegQuestion:
    """Whether a leg would pass, and where the answer goes; nothing is sent for it."""

    intent: LegIntent
    receipt: Receipt[LegAnswer]


@attrs.frozen
class LegDoors:
    """Where one leg is asked for, and what is known of its market."""

    risk: Mailbox[Any]
    orders: Mailbox[Any]
    instruments: Mapping[str, Instrument]
    want: Callable[[Wanted], None]


async def ask_both(
    here: LegDoors, buy: OrderIntent, there: LegDoors, sell: ExitIntent
) -> Approved | Refused:
    """Ask the doors of both legs; what `risk` reserves is asked for last."""
    answers = await _ask_doors(
        [(there.risk, sell), (there.orders, sell), (here.orders, buy), (here.risk, buy)]
    )
    if isinstance(answers, Refused):
        return answers
    approved = answers[-1]
    if not isinstance(approved, Approved):
        raise TypeError(f"risk answered {type(approved).__name__} to an entry")
    return approved


async def send_both(
    here: LegDoors, approved: Approved, there: LegDoors, sell: ExitIntent
) -> None:
    """Hand both legs over at once; one that nobody takes in time never left."""
    async with trio.open_nursery() as nursery:
        until_s = approved.intent.valid_until_s
        nursery.start_soon(_hand_over, here.orders, approved, until_s)
        nursery.start_soon(_hand_over, there.orders, sell, sell.valid_until_s)


async def _hand_over(
    orders: Mailbox[Any], wish: Approved | ExitIntent, until_s: float
) -> None:
    with trio.move_on_at(until_s):
        await orders.wish(wish)


async def _ask_doors(
    asked: Sequence[tuple[Mailbox[Any], LegIntent]],
) -> Sequence[LegAnswer] | Refused:
    """Return the answers of all doors, or the first no. They are asked in order."""
    answers: list[LegAnswer] = []
    await trio.lowlevel.checkpoint()
    for door, intent in asked:
        answer = await _ask(door, intent)
        if isinstance(answer, Refused):
            return answer
        answers.append(answer)
    return answers


async def _ask(door: Mailbox[Any], intent: LegIntent) -> LegAnswer:
    closed = getattr(door, "closed_because", "")
    if closed:
        await trio.lowlevel.checkpoint()
        return no(intent, closed, f"{door.name} is not served")
    receipt = Receipt[LegAnswer]()
    with trio.move_on_after(ANSWER_S):
        await door.wish(LegQuestion(intent, receipt))
        return await receipt.wait()
    return no(intent, "no_answer", f"{door.name} did not answer in {ANSWER_S:g} s")


def no(intent: LegIntent, code: str, reason: str) -> Refused:
    """Return a no to a leg."""
    purpose = Purpose.ENTRY if isinstance(intent, OrderIntent) else Purpose.EXIT
    return Refused(
        intent.bot,
        intent.account,
        intent.symbol,
        intent.intent_id,
        purpose,
        code,
        (reason,),
    )
