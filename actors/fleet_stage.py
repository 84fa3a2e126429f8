"""The stage: every mailbox and demand of the fleet, opened once, outliving all actors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from actors.demand import Demand
from actors.fleet_border import Place, check_border
from actors.fleet_wiring import READS, Kind, check_edge
from actors.mailbox import Mailbox
from actors.messages import Wanted
from actors.outlets import Outlets, Reader
from actors.pure.actor_paths import exchanges_read, exchanges_used
from actors.pure.config import BotConfig, Config
from actors.pure.owners import HOUSE, journal_of, ledger_owners, owners_by_account

JOURNAL_WISHES = 4096  # thousands of bots recall at once
ACCOUNT_ROLES = {"account": 64, "risk": 256, "orders": 256, "positions": 64}  # wishes
ACCOUNT_FACTS = 8192
BOARD_FACTS = 65536  # it takes its mail ten times a second
BOT_FACTS = 256


@attrs.define(eq=False)
class Stage:
    """Borrowed by actors, closed by nobody before the fleet has ended."""

    config: Config
    mailboxes: dict[str, Mailbox[Any]] = attrs.Factory(dict[str, Mailbox[Any]])
    demands: dict[str, Demand] = attrs.Factory(dict[str, Demand])
    outlets: dict[str, Outlets] = attrs.Factory(dict[str, Outlets])  # by journal
    readers: dict[str, dict[str, Mailbox[Any]]] = attrs.Factory(
        dict[str, dict[str, Mailbox[Any]]]
    )  # of market data, by exchange
    owners: dict[str, str] = attrs.Factory(dict[str, str])  # of actors in a group

    def open(
        self,
        name: str,
        *,
        owner: str = HOUSE,
        wishes_max: int = 64,
        facts_max: int = 1,
    ) -> Mailbox[Any]:
        """Open the mailbox of one actor, in the group of its owner."""
        mailbox = self.mailboxes[name] = Mailbox[Any](
            name, wishes_max=wishes_max, facts_max=facts_max
        )
        self.owners[name] = owner
        return mailbox

    def open_exchange(self, exchange: str) -> None:
        """Open what brings the prices of one exchange; the board reads them all."""
        self.open(f"catalogue:{exchange}")
        feed, fallback = self.open(f"feed:{exchange}"), self.open(f"fallback:{exchange}")
        self.demands[exchange] = Demand(exchange, [feed, fallback])
        self.readers[exchange] = {"board": self.mailboxes["board"]}

    def open_bot(self, bot: BotConfig, owner: str) -> None:
        """Open a bot, who reads the prices of each exchange that it names.

        A leg is no actor; its arbitrage reads the facts of both, so of all of the owner's.
        """
        if bot.type == "leg":
            return
        actor, is_pair = f"bot:{bot.name}", bot.type == "arbitrage"
        facts_max = ACCOUNT_FACTS if is_pair else BOT_FACTS
        mailbox = self.open(actor, owner=owner, wishes_max=1, facts_max=facts_max)
        for exchange in exchanges_read(self.config, bot):
            self.readers[exchange][actor] = mailbox
        scope = {} if is_pair else {"bot": bot.name}
        self.let_read(actor, of=journal_of(owner), **scope)

    def want_nothing(self, name: str) -> None:
        """Forget what an actor wants that does not take its mail any more (R-32)."""
        for demand in self.demands.values():
            demand.want(Wanted(name, frozenset()))

    def all_want_nothing(self, owner: str) -> None:
        """Forget what the actors of an owner want whose group is given up."""
        for name, whose in self.owners.items():
            if whose == owner:
                self.want_nothing(name)

    def door(self, sender: str, kind: Kind, receiver: str) -> Mailbox[Any]:
        """Return the mailbox of `receiver` for `sender`, if the wiring table has the edge.

        Raises:
          UndeclaredEdge: it has not.
          ForeignDoor: it leads to another owner.
        """
        check_edge(role_of(sender), kind, role_of(receiver))
        check_border(self.place(sender), kind, self.place(receiver))
        return self.mailboxes[receiver]

    def journal(self, sender: str) -> Mailbox[Any]:
        """Return the door of the journal that keeps what `sender` records."""
        return self.door(sender, "wish", journal_of(self.place(sender).owner))

    def let_read(self, name: str, *, of: str, **scope: str) -> None:
        """Have the journal `of` tell the actor called `name` what its role reads.

        Raises:
          ForeignDoor: that journal is another owner's.
        """
        check_border(self.place(of), "fact", self.place(name))
        kinds = READS[role_of(name)]
        self.outlets[of].add(Reader(name, self.mailboxes[name], kinds, **scope))

    def place(self, name: str) -> Place:
        """Return the role of an actor, and whose group it is in."""
        return Place(role_of(name), self.owners.get(name, HOUSE))


def role_of(name: str) -> str:
    """Return the role of an actor: "bot:dawn" to "bot"."""
    return name.partition(":")[0]


def open_stage(config: Config) -> Stage:
    """Open every mailbox that the fleet of `config` needs, and wire who reads what."""
    stage, owners = Stage(config), owners_by_account(config)
    stage.open("board", facts_max=BOARD_FACTS)
    for owner in ledger_owners(config):
        journal = journal_of(owner)
        stage.open(journal, owner=owner, wishes_max=JOURNAL_WISHES)
        stage.outlets[journal] = Outlets(teller=journal)
    for exchange in exchanges_used(config):
        stage.open_exchange(exchange)
    for name, account in accounts_used(config).items():
        for role, wishes_max in ACCOUNT_ROLES.items():
            actor, owner = f"{role}:{name}", owners[name]
            mailbox = stage.open(
                actor, owner=owner, wishes_max=wishes_max, facts_max=ACCOUNT_FACTS
            )
            if role in {"risk", "positions"}:
                stage.readers[account.exchange][actor] = mailbox
            stage.let_read(actor, of=journal_of(owner), account=name)
    for bot in config.bots:
        stage.open_bot(bot, owners[bot.account])
    for journal in stage.outlets:
        stage.let_read("board", of=journal)
    return stage


def accounts_used(config: Config) -> Mapping[str, Any]:
    """Return the accounts that some bot trades on, by name."""
    used = {bot.account for bot in config.bots}
    return {name: each for name, each in config.accounts.items() if name in used}
