"""What an operator may ask and settle of one account, the venue being asked right now.

board --Question (wish)--> [account] --queries--> venue
                           [account] --Record---> journal

Settling, adopting and correcting are recorded in one commit with the command itself, so a
crash leaves all of it or nothing. What the venue knows is booked from there (R-02, R-09).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

import attrs
import trio

from actors.account_passes import Passes
from actors.mailbox import Mailbox
from actors.messages import Asked, Corrected, VenueFill, VenueOrder
from actors.ports import Archived, Trading, VenueError
from actors.pure.adopting import adopted
from actors.pure.books import Books
from actors.pure.commands import NotPossible, Plan, Subject, commanded
from actors.pure.correcting import corrected
from actors.pure.executions import executions_of
from actors.pure.fact_words import words
from actors.pure.money import plain, split_symbol
from actors.pure.nearest import did_you_mean
from actors.pure.order_life import Order
from actors.pure.settling import VenueWord, settled
from actors.questions import GIVEN_UP, Answer, Question, unrecorded
from actors.records import JournalDown, JournalWish, record

VENUE_S = 5.0  # for all that is asked of the venue
DONE = {  # where it does not answer in time
    "settle": "nothing was done; --blind settles it unasked",
    "reconcile": "the comparison goes on, and `shoal log` tells its end",
}
OVERTAKEN = "a command of before came first and changed the same: `shoal log` tells"
AGAIN = "type it again"
OVERLAP_MS = 60_000  # executions and history are asked for from this much earlier
ADOPTED_MS = 7 * 86_400_000  # executions of an order to be adopted, before its last change


@attrs.define(eq=False)
class AccountDesk:
    """The operator's hand in one life of an account."""

    account: str
    exchange: str
    trading: Trading
    books: Books
    journal: Mailbox[JournalWish]
    passes: Passes
    symbols: Mapping[str, str]  # of each bot
    turn: trio.Lock = attrs.Factory(trio.Lock)  # two at once would mend one thing twice

    async def answer(self, question: Question) -> None:
        """Carry out one command in its turn; say what was done, or why nothing was."""
        async with self.turn:
            if not question.is_dead:
                question.receipt.resolve(await self._answer(question))

    async def _answer(self, question: Question) -> Answer:
        asked = question.asked
        acts: dict[str, Callable[[Asked], Awaitable[Plan]]] = {
            "settle": self._settle,
            "adopt": self._adopt,
            "correct": self._correct,
            "reconcile": self._reconcile,
        }
        try:
            with trio.fail_after(VENUE_S):
                plan = await acts[asked.verb](asked)
            if not question.begins():
                return GIVEN_UP
            done = await record(self.journal, commanded(asked, plan), *plan.facts)
        except NotPossible as error:
            answer = {"error": str(error)}
        except JournalDown as error:
            answer = unrecorded(error)
        except (VenueError, trio.TooSlowError) as error:
            why = str(error) or f"not within {VENUE_S:g} s"
            undone = DONE.get(asked.verb, "nothing was done")
            answer = {"error": f"the exchange does not answer ({why}): {undone}"}
        else:
            answer = {"said": plan.said}
            if plan.facts:
                self.passes.ask(f"an operator typed {asked.verb}")
                if not any(done.are_new[1:]):
                    answer = {"error": OVERTAKEN}
        await trio.lowlevel.checkpoint()
        return answer

    async def _reconcile(self, _asked: Asked) -> Plan:
        found = await self.passes.made("an operator asked")
        return Plan(Subject("", self.account), (), f"{self.account}: {words(found)}")

    async def _settle(self, asked: Asked) -> Plan:
        order = self.books.orders.get(asked.subject)
        if order is None:
            raise NotPossible(f"{self.account} has no order {asked.subject}")
        word = None if asked.is_blind else await self._word(order)
        if word is not None and word.knows_it:
            self.passes.ask("an operator asked for an order that the exchange knows")
        if self.books.orders.get(order.client_order_id) is not order:
            raise NotPossible(f"{order.client_order_id} was told of meanwhile: {AGAIN}")
        now_ms, ages = self.trading.now_ms(), self.passes.reconciliation.ages
        age_s = ages.age_s(order, trio.current_time(), now_ms)
        facts = settled(
            order, asked, word, exchange=self.exchange, age_s=age_s, now_ms=now_ms
        )
        said = f"{order.client_order_id} of {order.bot} is settled as {asked.outcome}: "
        said += f"the exchange, asked just now, says that {word}" if word else "unasked"
        await trio.lowlevel.checkpoint()
        return Plan(Subject(order.bot, self.account), facts, said)

    async def _word(self, order: Order) -> VenueWord:
        """Ask the venue for an order wherever it could tell of it (R-03)."""
        order_id, symbol = order.client_order_id, order.symbol
        since_ms = order.attempt_ms - OVERLAP_MS
        try:
            venue = await self.trading.order(symbol, order_id)
        except Archived:
            await trio.lowlevel.checkpoint()
            return VenueWord(is_archived=True)
        told: list[VenueOrder] = []
        if venue is None:
            told += await self.trading.open_orders([symbol])
            told += await self.trading.past_orders(symbol, since_ms=since_ms)
            venue = next((it for it in told if it.client_order_id == order_id), None)
        fills = await self.trading.fills(symbol, since_ms=since_ms)
        executed = executions_of(order, fills, self.books, told)
        return VenueWord(venue, executed.mine, executed.doubt)

    async def _adopt(self, asked: Asked) -> Plan:
        still_open = await self._open()
        venue = self._named(asked.subject, still_open)
        if self.books.orders.get(venue.client_order_id) is not None:
            raise NotPossible(f"{venue.client_order_id} is one of ours already")
        own = self.symbols.get(asked.bot, venue.symbol)
        if own != venue.symbol:
            name = venue.client_order_id or venue.venue_order_id
            raise NotPossible(f"{name} is of {venue.symbol}, and {asked.bot} trades {own}")
        fills: list[VenueFill] = []
        if venue.filled_base:
            since_ms = venue.update_ms - ADOPTED_MS
            told = await self.trading.fills(venue.symbol, since_ms=since_ms)
            fills = [it for it in told if it.venue_order_id == venue.venue_order_id]
        bot = Subject(asked.bot, self.account)
        facts = adopted(asked, bot, venue, fills, self.books)
        said = (
            f"{venue.client_order_id}, {venue.side.value} {plain(venue.base)}"
            f" {venue.symbol}, is {asked.bot}'s from now on"
        )
        return Plan(bot, facts, said)

    async def _open(self) -> Sequence[VenueOrder]:
        """Return what is open there, as a pass would be told."""
        symbols = self.passes.reconciliation.listed()
        return await self.trading.open_orders(symbols)

    def _named(self, name: str, still_open: Sequence[VenueOrder]) -> VenueOrder:
        """Return the open order of this client order id, or of this id of the venue's."""
        for venue in still_open:
            if name in {venue.client_order_id, venue.venue_order_id}:
                return venue
        ids = {venue.client_order_id for venue in still_open}
        foreign = {each for each in ids if self.books.orders.get(each) is None}
        near = did_you_mean(name, foreign)
        raise NotPossible(f"the exchange has no open order {name!r}{near}")

    async def _correct(self, asked: Asked) -> Plan:
        before = self.books.holdings.base_by_symbol().copy()
        balances = await self.trading.balances()
        still_open = await self._open()
        found = self.passes.reconciliation
        unmoved = {it.client_order_id for it in still_open if found.is_unmoved(it)}
        asset = split_symbol(asked.subject)[0]
        total = sum(
            (each.free + each.locked for each in balances if each.asset == asset), start=0
        )
        if before != self.books.holdings.base_by_symbol():
            raise NotPossible(f"something was traded meanwhile: {AGAIN}")
        fact = corrected(self.books, self.account, asked, asset, total, unmoved)
        return Plan(Subject(fact.bot, self.account), (fact,), _taken(fact))


def _taken(fact: Corrected) -> str:
    return (
        f"{plain(fact.base)} {fact.symbol} left {fact.bot}'s position at its cost: the"
        " exchange no longer holds it"
    )
