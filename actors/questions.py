"""How an operator's question crosses to an actor, and how its answer comes back.

desk  --Question (wish)--> [board]
board --Question (wish)--> [account]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import trio

from actors.mailbox import Mailbox
from actors.messages import Asked
from actors.records import Receipt

Answer = Mapping[
    str, Any
]  # plain data, ready for JSON: "said" or "error", or a whole state


@attrs.frozen
class Question:
    """What an operator asks, and where the answer goes."""

    asked: Asked
    receipt: Receipt[Answer]


async def ask(mailbox: Mailbox[Any], asked: Asked, *, who: str, wait_s: float) -> Answer:
    """Put a question into a mailbox; answer for `who` does not in time.

    Raises:
      JournalDown: whoever was asked could not record what it did.
    """
    receipt = Receipt[Answer]()
    with trio.move_on_after(wait_s):
        await mailbox.wish(Question(asked, receipt))
        return await receipt.wait()
    return {"error": f"{who} did not answer within {wait_s:g} s"}
