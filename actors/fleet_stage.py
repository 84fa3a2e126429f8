"""The stage: every mailbox and demand of the fleet, opened once, outliving all actors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from actors.demand import Demand
from actors.fleet_wiring import READS, Kind, check_edge
from actors.mailbox import Mailbox
from actors.outlets import Outlets, Reader
from actors.pure.config import Config

JOURNAL_WISHES = 4096  # thousands of bots recall at once
ORDERS_WISHES = 256
ACCOUNT_FACTS = 8192
BOARD_FACTS = 65536  # it takes its mail ten times a second
BOT_FACTS = 256


@attrs.define(eq=False)
class Stage:
    """Borrowed by actors, closed by nobody before the fleet has ended."""

    config: Config
    mailboxes: dict[str, Mailbox[Any]] = attrs.Factory(dict[str, Mailbox[Any]])
    demands: dict[str, Demand] = attrs.Factory(dict[str, Demand])
    outlets: Outlets = attrs.Factory(Outlets)
    readers: dict[str, dict[str, Mailbox[Any]]] = attrs.Factory(
        dict[str, dict[str, Mailbox[Any]]]
    )  # of market data, by exchange

    def open(self, name: str, *, wishes_max: int = 64, facts_max: int = 1) -> Mailbox[Any]:
        """Open the mailbox of one actor."""
        mailbox = self.mailboxes[name] = Mailbox[Any](
            name, wishes_max=wishes_max, facts_max=facts_max
        )
        return mailbox

    def door(self, sender: str, kind: Kind, receiver: str) -> Mailbox[Any]:
        """Return the mailbox of `receiver` for `sender`, if the wiring table has the edge.

        Raises:
          UndeclaredEdge: it has not.
        """
        check_edge(role_of(sender), kind, role_of(receiver))
        return self.mailboxes[receiver]


def role_of(name: str) -> str:
    """Return the role of an actor: "bot:dawn" to "bot"."""
    return name.partition(":")[0]


def open_stage(config: Config) -> Stage:
    """Open every mailbox that the fleet of `config` needs, and wire who reads what."""
    stage = Stage(config)
    stage.open("journal", wishes_max=JOURNAL_WISHES)
    stage.open("board", facts_max=BOARD_FACTS)
    for exchange in exchanges_used(config):
        feed = stage.open(f"feed:{exchange}")
        fallback = stage.open(f"fallback:{exchange}")
        stage.demands[exchange] = Demand(exchange, [feed, fallback])
        stage.readers[exchange] = {"board": stage.mailboxes["board"]}
    for name, account in accounts_used(config).items():
        stage.open(f"account:{name}", facts_max=ACCOUNT_FACTS)
        stage.open(f"risk:{name}", wishes_max=ORDERS_WISHES, facts_max=ACCOUNT_FACTS)
        stage.open(f"orders:{name}", wishes_max=ORDERS_WISHES, facts_max=ACCOUNT_FACTS)
        stage.open(f"positions:{name}", facts_max=ACCOUNT_FACTS)
        for role in ("risk", "positions"):
            actor = f"{role}:{name}"
            stage.readers[account.exchange][actor] = stage.mailboxes[actor]
        for role in ("account", "risk", "orders", "positions"):
            actor = f"{role}:{name}"
            stage.outlets.add(
                Reader(actor, stage.mailboxes[actor], READS[role], account=name)
            )
    for bot in config.bots:
        actor = f"bot:{bot.name}"
        mailbox = stage.open(actor, wishes_max=1, facts_max=BOT_FACTS)
        stage.readers[config.accounts[bot.account].exchange][actor] = mailbox
        stage.outlets.add(Reader(actor, mailbox, READS["bot"], bot=bot.name))
    stage.outlets.add(Reader("board", stage.mailboxes["board"], READS["board"]))
    return stage


def accounts_used(config: Config) -> Mapping[str, Any]:
    """Return the accounts that some bot trades on, by name."""
    used = {bot.account for bot in config.bots}
    return {name: each for name, each in config.accounts.items() if name in used}


def exchanges_used(config: Config) -> list[str]:
    """Return the exchanges that some bot trades on, by name."""
    return sorted({account.exchange for account in accounts_used(config).values()})
