"""The stage is set here: reading the list of children is reading the architecture.

Everything starts from top to bottom and stops from bottom to top. This is where adapters
are introduced to actors, and the only place that knows both.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from itertools import count
from typing import Any

import trio

from actors.board import run_board
from actors.catalogue import run_catalogue
from actors.clock import run_clock
from actors.commands import AccountDoors
from actors.fallback import FallbackSettings, run_fallback
from actors.fan_out import FanOut
from actors.feed import FeedSettings, run_feed
from actors.feed_session import SilenceLimits
from actors.fleet_owners import OwnerGroup, alarm_of, journal_child
from actors.fleet_settings import clock_limits, policy
from actors.fleet_stage import Stage, accounts_used, role_of
from actors.fleet_world import World
from actors.mailbox import Mailbox
from actors.messages import Channel, Subscription, Wanted
from actors.messages.board import Alarmed, AlarmId
from actors.messages.supervision import ActorState, Transition
from actors.pure.actor_paths import exchanges_used
from actors.pure.breaker import Exhaustion, Policy
from actors.pure.client_order_id import IntentIds
from actors.pure.owners import HOUSE, journal_of, owners_by_account, owners_of
from actors.supervisor import Child, Supervisor


class Fleet:
    """The tree of one run, and what an operator may do with it."""

    def __init__(self, stage: Stage, world: World) -> None:
        self.stage = stage
        self.world = world
        self.root = Supervisor(
            "", self.children(), report=world.report, random=world.random
        )
        for alarm in world.abandoned:
            self._alarm(alarm)

    async def run(  # noqa: ASYNC128 -- the root supervisor calls started()
        self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Run until cancelled.

        Raises:
          Escalated: an actor that the fleet cannot do without was given up.
        """
        await self.root.run(task_status=task_status)

    def children(self) -> list[Child]:
        """Return the tree, in the order of starting."""
        config = self.stage.config
        return [
            journal_child(self.stage, self.world, HOUSE),
            *(self._simulator(body) for body in [self.world.simulator] if body),
            self._clock(),
            *(self._catalogue(exchange) for exchange in exchanges_used(config)),
            *(self._feed(exchange) for exchange in exchanges_used(config)),
            *(self._fallback(exchange) for exchange in exchanges_used(config)),
            *self._owners(),
            self._board(),
        ]

    def states(self) -> list[ActorState]:
        return list(self.root.states())

    def start(self, name: str) -> bool:
        return self.root.start(name)

    def stop(self, name: str) -> bool:
        """Stop an actor; a bot that stops wants no market data any more."""
        self.stage.want_nothing(name)
        return self.root.stop(name)

    def crash(self, name: str) -> bool:
        return self.root.crash(name)

    def _owners(self) -> list[Child]:
        """Return the actors of the only owner, or one group for each of several."""
        names = owners_of(self.stage.config)
        groups = [
            OwnerGroup(self.stage, self.world, name, self._has_given_up)
            for name in names or (HOUSE,)
        ]
        if not names:
            return groups[0].children()
        owners = Supervisor(
            "owners",
            [group.child() for group in groups],
            report=self._hear_owner,
            random=self.world.random,
            start_together=True,
        )
        policy = self._policy("escalate")
        return [Child("owners", owners.run, None, policy, stop_s=owners.stop_s)]

    def _has_given_up(self) -> bool:
        return self.root.escalated is not None

    def _hear_owner(self, step: Transition) -> None:
        """Pass it on; that an owner's group is given up is an alarm, too."""
        self.world.report(step)
        alarm = alarm_of(step)
        if alarm is not None:
            if not alarm.is_over:
                self.stage.all_want_nothing(alarm.subject)
            self._alarm(alarm)

    def _alarm(self, alarm: Alarmed) -> None:
        board = self.stage.door("fleet", "latest", "board")
        board.latest((Alarmed, alarm.actor, alarm.code, alarm.subject), alarm)

    def _simulator(self, body: Callable[..., Awaitable[None]]) -> Child:
        return Child("simulator", body, None, self._policy("escalate"))

    def _clock(self) -> Child:
        timed = ("feed", "account", "risk", "positions", "bot")
        names = [name for name in self.stage.mailboxes if role_of(name) in timed]
        run = partial(
            run_clock,
            self.world.clock,
            {name: venue.market for name, venue in self.world.venues.items()},
            [self.stage.door("clock", "latest", name) for name in names],
            self.stage.journal("clock"),
            limits=clock_limits(self.stage.config),
            orders=self._orders_by_exchange(),
            board=self.stage.door("clock", "latest", "board"),
            told={},
        )
        return Child("clock", run, None, self._policy("escalate"))

    def _orders_by_exchange(self) -> dict[str, list[Mailbox[Any]]]:
        found: dict[str, list[Mailbox[Any]]] = {}
        for name, account in accounts_used(self.stage.config).items():
            door = self.stage.door("clock", "latest", f"orders:{name}")
            found.setdefault(account.exchange, []).append(door)
        return found

    def _catalogue(self, exchange: str) -> Child:
        venue = self.world.venues[exchange]
        name = f"catalogue:{exchange}"
        run = partial(
            run_catalogue,
            self.stage.mailboxes[name],
            venue.market,
            venue.instruments,
            self.stage.door(name, "latest", "board"),
            exchange=exchange,
        )
        mailbox = self.stage.mailboxes[name]
        return Child(name, run, mailbox, self._policy("retry"))

    def _feed(self, exchange: str) -> Child:
        name, stage, world = f"feed:{exchange}", self.stage, self.world
        mailbox, config = stage.mailboxes[name], stage.config.exchanges[exchange]
        silence = config.silence_s
        settings = FeedSettings(
            exchange,
            config.reconnect,
            SilenceLimits(
                silence.ticker,
                silence.book_top,
                silence.book,
                silence.candles,
                silence.trades,
                config.proof_s,
            ),
        )

        async def run(  # noqa: ASYNC128 -- the actor's own body calls started()
            *, task_status: trio.TaskStatus[None]
        ) -> None:
            watcher = stage.door(name, "latest", f"fallback:{exchange}")
            market = world.venues[exchange].market
            await run_feed(
                mailbox,
                market,
                stage.journal(name),
                FanOut(exchange, stage.readers[exchange], watcher, market.terms),
                stage.demands[exchange],
                settings=settings,
                random=world.random,
                task_status=task_status,
            )

        return Child(name, run, mailbox, self._policy("retry"))

    def _fallback(self, exchange: str) -> Child:
        name, stage = f"fallback:{exchange}", self.stage
        mailbox, config = stage.mailboxes[name], stage.config.exchanges[exchange]
        run = partial(
            run_fallback,
            mailbox,
            self.world.venues[exchange].market,
            stage.journal(name),
            stage.readers[exchange],
            stage.demands[exchange],
            settings=FallbackSettings(exchange, config.fallback_after_s, config.poll_s),
        )
        return Child(name, run, mailbox, self._policy("retry"))

    def _board(self) -> Child:
        stage, world = self.stage, self.world
        mailbox, lives = stage.mailboxes["board"], count(1)
        alarms: dict[AlarmId, Alarmed] = {}

        async def run(  # noqa: ASYNC128 -- the actor's own body calls started()
            *, task_status: trio.TaskStatus[None]
        ) -> None:
            for exchange, demand in stage.demands.items():
                tickers = {
                    Subscription(bot.symbol, Channel.TICKER)
                    for bot in stage.config.bots
                    if stage.config.accounts[bot.account].exchange == exchange
                }
                demand.want(Wanted("board", frozenset(tickers), is_follower=True))
            life = next(lives)
            await run_board(
                mailbox,
                stage.journal("board"),
                world.desk,
                self,
                accounts=self._doors(),
                ids=IntentIds(world.epoch, world.execution, "board", life),
                bots={bot.name: bot.account for bot in stage.config.bots},
                legs={
                    bot.other: bot.name
                    for bot in stage.config.bots
                    if bot.type == "arbitrage"
                },
                journals=self._journals(),
                clock=world.clock,
                announce=world.announce,
                is_first_life=life == 1,
                alarms=alarms,
                task_status=task_status,
            )

        return Child("board", run, mailbox, self._policy("retry"))

    def _doors(self) -> Mapping[str, AccountDoors]:
        """Return where the board may ask each account, and sell what it holds."""
        stage = self.stage
        return {
            name: AccountDoors(
                each.exchange,
                stage.door("board", "wish", f"account:{name}"),
                stage.door("board", "wish", f"orders:{name}"),
            )
            for name, each in accounts_used(stage.config).items()
        }

    def _journals(self) -> Mapping[str, Mailbox[Any]]:
        """Return the journal of each account that is not kept by the house's."""
        return {
            account: self.stage.door("board", "wish", journal_of(owner))
            for account, owner in owners_by_account(self.stage.config).items()
            if owner != HOUSE
        }

    def _policy(self, on_exhausted: Exhaustion) -> Policy:
        return policy(self.stage.config.supervision, on_exhausted)
