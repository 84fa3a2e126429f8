"""One paper account on its file: what is decided becomes durable, then true, then told.

A fact that could not be made durable never happened. Whether it could is not known after
a time-out, so the account is read from its file again before anybody uses it (R-06).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import attrs
import trio

from actors.messages import BalancesHeard, PrivateMessage
from actors.ports import WallClock
from actors.ports_store import Query, Row, Store
from actors.pure.paper_account import PaperAccount
from actors.pure.paper_words import (
    KINDS,
    PaperFact,
    PaperFilled,
    PaperOpened,
    PaperPlaced,
    decode,
    encode,
    kind_of,
)
from adapters.errors import ConnectionLost

PAGE_ROWS = 1024  # folded before others get a turn

Tell = Callable[[Sequence[PrivateMessage]], None]


class DeskShut(ConnectionLost):
    """The account's file took nothing, or cannot be read."""


@attrs.define(eq=False)
class PaperDesk:
    """Whoever asks for `account` holds `turn`; only `commit` changes it."""

    exchange: str
    name: str  # of the account
    balances: Mapping[str, Decimal]  # of a new account
    store: Store
    clock: WallClock
    turn: trio.Lock = attrs.Factory(trio.Lock)
    ears: list[Tell] = attrs.Factory(list[Tell])
    _account: PaperAccount | None = None

    @property
    def has_live_orders(self) -> bool:
        """Whether a price may change anything; not known is yes."""
        return self._account is None or bool(self._account.live)

    async def account(self) -> PaperAccount:
        """Return the account as its file has it.

        Raises:
          DeskShut: the file cannot be read or, of a new account, written.
        """
        await trio.lowlevel.checkpoint()
        account = self._account
        if account is None:
            account = self._account = await self._read()
        return account

    async def commit(self, facts: Sequence[PaperFact]) -> None:
        """Make facts durable and true, then tell them; all of them or none.

        Raises:
          DeskShut: nobody knows whether the file has them; `account` will.
        """
        account = await self.account()
        if not facts:
            return
        with trio.CancelScope(shield=True):  # the store has a deadline of its own
            self._account = None
            await self._append(facts)
            self._account = account
        told: list[PrivateMessage] = []
        for fact in facts:
            account.apply(fact)
            told += _told(account, fact)
        account.forget(self.clock.now_ms())
        told.append(BalancesHeard(account.balances(), self.clock.now_ms()))
        for tell in self.ears:
            tell(told)

    async def _read(self) -> PaperAccount:
        account = PaperAccount()
        try:
            seq = await self._read_page(account, 0)
            while seq:
                seq = await self._read_page(account, seq)
        except (OSError, ValueError, LookupError) as error:
            raise DeskShut(f"the paper account cannot be read: {error}") from error
        if account.opened is None:
            opened = PaperOpened(self.exchange, self.balances)
            await self._append([opened])
            account.apply(opened)
        account.forget(self.clock.now_ms())
        return account

    async def _read_page(self, account: PaperAccount, after: int) -> int:
        """Let the account take the next of the file; return where more begins, or 0."""
        query = Query(list(KINDS), after=after, rows_max=PAGE_ROWS)
        _, rows = await self.store.read(query)
        for row in rows:
            account.apply(decode(row.kind, row.body))
        account.forget(self.clock.now_ms())
        await trio.lowlevel.checkpoint()
        return rows[-1].seq if len(rows) == PAGE_ROWS else 0

    async def _append(self, facts: Sequence[PaperFact]) -> None:
        wall_ms, awake_ms = self.clock.now_ms(), int(self.clock.awake_s() * 1000)
        rows = [
            Row(
                kind_of(fact),
                _key_of(fact),
                "",
                self.name,
                "",
                wall_ms,
                awake_ms,
                encode(fact),
            )
            for fact in facts
        ]
        try:
            stored = await self.store.append(rows)
        except OSError as error:
            raise DeskShut(f"the paper account takes nothing: {error}") from error
        if not all(stored.are_new):
            raise DeskShut(
                "the paper account's file has this already: somebody else writes"
            )


def _key_of(fact: PaperFact) -> str | None:
    """Return what no two facts of its kind may share."""
    match fact:
        case PaperPlaced(order_id=order_id):
            return f"order/{order_id}"
        case PaperFilled(trade_id=trade_id):
            return f"trade/{trade_id}"
        case _:
            return None


def _told(account: PaperAccount, fact: PaperFact) -> list[PrivateMessage]:
    """Return what the account's stream says of a fact that was just applied."""
    match fact:
        case PaperOpened():
            return []
        case PaperPlaced(request=request):
            return [account.told(account.orders[request.client_order_id])]
        case PaperFilled(client_order_id=order_id):
            return [account.fills[-1], account.told(account.orders[order_id])]
        case _:
            return [account.told(account.orders[fact.client_order_id])]
