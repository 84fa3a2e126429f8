"""What belongs to one owner: accounts, bots, and where there are several owners a journal.

The group of one of several owners is a bulkhead: a ledger that is damaged, or an actor that
cannot be kept alive, ends this group in order and touches no other. What rests at the
exchange stays there; an operator or the next run of the program starts the group again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from itertools import count

import attrs

from actors.arbitrage import run_arbitrage
from actors.bot import run_bot
from actors.fleet_accounts import EXITS_RESET_S, AccountGroup
from actors.fleet_settings import (
    arbitrage_settings,
    bot_policy,
    bot_settings,
    policy,
    space_limits,
)
from actors.fleet_stage import Stage, role_of
from actors.fleet_world import World
from actors.journal import run_journal
from actors.journal_watch import JournalWatch
from actors.legs import LegDoors
from actors.messages.board import Alarmed
from actors.messages.supervision import Event, State, Transition
from actors.pure.actor_paths import exchanges_read
from actors.pure.client_order_id import IntentIds
from actors.pure.config import BotConfig
from actors.pure.owners import HOUSE, bots_name, bots_of, journal_of, owners_by_account
from actors.supervisor import Child, Supervisor

Body = Callable[..., Awaitable[None]]
GIVEN_UP = "stopped as a whole: open entries are cancelled, its positions wait"


@attrs.define(eq=False)
class OwnerGroup:
    """Makes the children of one owner; of the house, where one owner has it all."""

    stage: Stage
    world: World
    owner: str
    fleet_gave_up: Callable[[], bool]
    supervisor: Supervisor | None = None  # of this group, where it has one

    def child(self) -> Child:
        """Return the group under a supervisor of its own."""
        name = f"owner:{self.owner}"
        self.supervisor = Supervisor(
            f"owners/{name}",
            [journal_child(self.stage, self.world, self.owner), *self.children()],
            report=self.world.report,
            random=self.world.random,
        )
        return Child(
            name,
            self.supervisor.run,
            None,
            policy(self.stage.config.supervision, "stop"),
            is_bulkhead=True,
            while_down=GIVEN_UP,
        )

    def children(self) -> list[Child]:
        """Return the owner's actors, in the order of starting."""
        config = self.stage.config
        accounts = [
            config.accounts[name]
            for name, owner in owners_by_account(config).items()
            if owner == self.owner
        ]
        epoch = self.world.ledger(self.owner).epoch
        return [
            *(
                child
                for account in accounts
                for child in AccountGroup(
                    self.stage, self.world, account.name, account, epoch, self._is_stopping
                ).children()
            ),
            self._bots(epoch),
        ]

    def _is_stopping(self) -> bool:
        """Tell whether entries are to be cancelled at the end of a life."""
        has_given_up = self.supervisor is not None and self.supervisor.escalated is not None
        return has_given_up or self.fleet_gave_up() or self.world.is_stopping()

    def _bots(self, epoch: str) -> Child:
        stage, world = self.stage, self.world
        above = f"owners/owner:{self.owner}/" if self.owner != HOUSE else ""
        name = bots_name(self.owner)
        bots = Supervisor(
            f"{above}{name}",
            [
                self._bot(bot, epoch)
                for bot in bots_of(stage.config, self.owner)
                if bot.type != "leg"
            ],
            report=self._hear_bot,
            random=world.random,
            start_together=True,
        )
        guard = policy(stage.config.supervision, "escalate")
        return Child(name, bots.run, None, guard, stop_s=bots.stop_s)

    def _hear_bot(self, step: Transition) -> None:
        """Pass it on; a bot that is given up wants no market data any more."""
        self.world.report(step)
        if step.event is Event.FAILED and step.new is State.FAILED:
            self.stage.want_nothing(step.path.rpartition("/")[2])

    def _bot(self, bot: BotConfig, epoch: str) -> Child:
        name, world, lives = f"bot:{bot.name}", self.world, count(1)

        def ids() -> IntentIds:
            return IntentIds(epoch, world.execution, name, next(lives))

        make = self._arbitrage if bot.type == "arbitrage" else self._trader
        return Child(
            name,
            make(bot, name, ids),
            self.stage.mailboxes[name],
            bot_policy(bot),
            is_enabled=bot.enabled and bot.name not in world.stopped_bots,
            while_down="its position stays guarded",
        )

    def _trader(self, bot: BotConfig, name: str, ids: Callable[[], IntentIds]) -> Body:
        stage, world, config = self.stage, self.world, self.stage.config
        exchange = config.accounts[bot.account].exchange
        return partial(
            run_bot,
            stage.mailboxes[name],
            stage.door(name, "wish", f"risk:{bot.account}"),
            stage.door(name, "wish", f"orders:{bot.account}"),
            stage.journal(name),
            stage.door(name, "latest", "board"),
            settings=bot_settings(config, bot),
            instruments=world.venues[exchange].instruments,
            strategy=world.strategies[bot.name],
            ids=ids,
            want={each: stage.demands[each].want for each in exchanges_read(config, bot)},
        )

    def _arbitrage(self, bot: BotConfig, name: str, ids: Callable[[], IntentIds]) -> Body:
        stage, config = self.stage, self.stage.config
        doors: dict[str, LegDoors] = {}
        for leg in (bot, config.bot(bot.other)):
            exchange = config.exchange_of(leg).name
            doors[leg.name] = LegDoors(
                stage.door(name, "wish", f"risk:{leg.account}"),
                stage.door(name, "wish", f"orders:{leg.account}"),
                self.world.venues[exchange].instruments,
                stage.demands[exchange].want,
            )
        return partial(
            run_arbitrage,
            stage.mailboxes[name],
            doors,
            stage.journal(name),
            stage.door(name, "latest", "board"),
            settings=arbitrage_settings(config, bot),
            ids=ids,
        )


def journal_child(stage: Stage, world: World, owner: str) -> Child:
    """Return the journal of an owner, or of the house."""
    name = journal_of(owner)

    def say(text: str) -> None:
        world.say(text if owner == HOUSE else f"of {owner}: {text}")

    owners = owners_by_account(stage.config)
    accounts = [account for account in owners if owners[account] == owner]
    watch = partial(
        JournalWatch,
        name,
        world.space,
        space_limits(stage.config),
        [stage.door(name, "latest", f"orders:{account}") for account in accounts],
        stage.door(name, "latest", "board"),
    )
    run = partial(
        run_journal,
        stage.mailboxes[name],
        world.ledger(owner).store,
        stage.outlets[name],
        clock=world.clock,
        say=say,
        watch=watch,
    )
    guard = policy(stage.config.supervision, "escalate")
    guard = attrs.evolve(guard, reset_s=EXITS_RESET_S)
    return Child(name, run, stage.mailboxes[name], guard, stop_s=6)


def alarm_of(step: Transition) -> Alarmed | None:
    """Return the alarm that an owner's group is given up, or that it is not any more."""
    actor = step.path.rpartition("/")[2]
    has_failed = step.event is Event.FAILED and step.new is State.FAILED
    if role_of(actor) != "owner" or not (has_failed or step.event is Event.READY):
        return None
    owner = actor.partition(":")[2]
    text = f"all of {owner} is stopped and unguarded here: {step.error}"
    return Alarmed(actor, "given_up", owner, text, is_over=not has_failed)
