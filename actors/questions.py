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
from actors.records import JournalDown, Receipt, Unacknowledged

Answer = Mapping[
    str, Any
]  # plain data, ready for JSON: "said" or "error", or a whole state


GIVEN_UP: Answer = {"error": "nobody waits for the answer: nothing was done"}
MAY_BE_DONE = "it may still be done, and `shoal log` tells"


@attrs.frozen
class Question:
    """What an operator asks, and where the answer goes.

    One whose asker has given up may lie in a mailbox until a later life: it is a dead
    letter, and no reader may do it, because the asker was told that nothing was done.
    """

    asked: Asked
    receipt: Receipt[Answer]
    begun: trio.Event = attrs.Factory(trio.Event)  # the ledger may hear of it from here on

    @property
    def is_dead(self) -> bool:
        """Whether nobody waits for the answer any more."""
        return self.receipt.is_failed

    def begins(self) -> bool:
        """Return whether to do it; if so nobody is told any more that nothing was done."""
        if not self.is_dead:
            self.begun.set()
        return not self.is_dead


async def ask(mailbox: Mailbox[Any], asked: Asked, *, who: str, wait_s: float) -> Answer:
    """Put a question into a mailbox; answer for `who` does not in time.

    Raises:
      JournalDown: whoever was asked could not record what it did.
    """
    question = Question(asked, Receipt[Answer]())
    try:
        with trio.move_on_after(wait_s):
            await mailbox.wish(question)
            return await question.receipt.wait()
    finally:
        question.receipt.fail("nobody waits for the answer")
    done = MAY_BE_DONE if question.begun.is_set() else "nothing was done"
    return {"error": f"{who} did not answer within {wait_s:g} s: {done}"}


def unrecorded(error: JournalDown) -> Answer:
    """Return the answer where the journal did not say that a command is durable."""
    is_open = isinstance(error, Unacknowledged)
    return {"error": f"{error}: {MAY_BE_DONE}" if is_open else str(error)}
