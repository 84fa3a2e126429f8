"""The stage is set here: reading the list of children is reading the architecture.

Everything starts from top to bottom and stops from bottom to top. This is where adapters
are introduced to actors, and the only place that knows both.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from itertools import count

import attrs
import trio

from actors.board import run_board
from actors.bot import run_bot
from actors.catalogue import run_catalogue
from actors.clock import run_clock
from actors.fallback import FallbackSettings, run_fallback
from actors.fan_out import FanOut
from actors.feed import FeedSettings, run_feed
from actors.feed_session import SilenceLimits
from actors.fleet_accounts import EXITS_RESET_S, AccountGroup
from actors.fleet_settings import bot_policy, bot_settings, policy
from actors.fleet_stage import Stage, accounts_used, exchanges_used, role_of
from actors.fleet_world import World
from actors.journal import run_journal
from actors.messages import Channel, Subscription, Wanted
from actors.messages.supervision import ActorState
from actors.pure.breaker import Exhaustion, Policy
from actors.pure.client_order_id import IntentIds
from actors.pure.config import BotConfig
from actors.supervisor import Child, Supervisor


class Fleet:
    """The tree of one run, and what an operator may do with it."""

    def __init__(self, stage: Stage, world: World) -> None:
        self.stage = stage
        self.world = world
        self.root = Supervisor(
            "", self.children(), report=world.report, random=world.random
        )

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
            self._journal(),
            *(self._simulator(body) for body in [self.world.simulator] if body),
            self._clock(),
            *(self._catalogue(exchange) for exchange in exchanges_used(config)),
            *(self._feed(exchange) for exchange in exchanges_used(config)),
            *(self._fallback(exchange) for exchange in exchanges_used(config)),
            *(
                child
                for name, account in accounts_used(config).items()
                for child in AccountGroup(self.stage, self.world, name, account).children()
            ),
            self._bots(),
            self._board(),
        ]

    def states(self) -> list[ActorState]:
        return list(self.root.states())

    def start(self, name: str) -> bool:
        return self.root.start(name)

    def stop(self, name: str) -> bool:
        """Stop an actor; a bot that stops wants no market data any more."""
        for demand in self.stage.demands.values():
            demand.want(Wanted(name, frozenset()))
        return self.root.stop(name)

    def crash(self, name: str) -> bool:
        return self.root.crash(name)

    def _journal(self) -> Child:
        mailbox, world = self.stage.mailboxes["journal"], self.world
        run = partial(
            run_journal,
            mailbox,
            world.store,
            self.stage.outlets,
            clock=world.clock,
            say=world.say,
        )
        guard = attrs.evolve(self._policy("escalate"), reset_s=EXITS_RESET_S)
        return Child("journal", run, mailbox, guard, stop_s=6)

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
            self.stage.door("clock", "wish", "journal"),
        )
        return Child("clock", run, None, self._policy("escalate"))

    def _catalogue(self, exchange: str) -> Child:
        venue = self.world.venues[exchange]
        name = f"catalogue:{exchange}"
        run = partial(
            run_catalogue,
            venue.market,
            venue.instruments,
            self.stage.door(name, "latest", "board"),
            exchange=exchange,
        )
        return Child(name, run, None, self._policy("retry"))

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
            await run_feed(
                mailbox,
                world.venues[exchange].market,
                stage.door(name, "wish", "journal"),
                FanOut(exchange, stage.readers[exchange], watcher),
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
            stage.door(name, "wish", "journal"),
            stage.readers[exchange],
            stage.demands[exchange],
            settings=FallbackSettings(exchange, config.fallback_after_s, config.poll_s),
        )
        return Child(name, run, mailbox, self._policy("retry"))

    def _bots(self) -> Child:
        bots = Supervisor(
            "bots",
            [self._bot(bot) for bot in self.stage.config.bots],
            report=self.world.report,
            random=self.world.random,
            start_together=True,
        )
        return Child("bots", bots.run, None, self._policy("escalate"), stop_s=bots.stop_s)

    def _bot(self, bot: BotConfig) -> Child:
        name, stage, world = f"bot:{bot.name}", self.stage, self.world
        exchange = stage.config.accounts[bot.account].exchange
        lives = count(1)
        run = partial(
            run_bot,
            stage.mailboxes[name],
            stage.door(name, "wish", f"risk:{bot.account}"),
            stage.door(name, "wish", f"orders:{bot.account}"),
            stage.door(name, "wish", "journal"),
            stage.door(name, "latest", "board"),
            settings=bot_settings(stage.config, bot),
            instruments=world.venues[exchange].instruments,
            strategy=world.strategies[bot.name],
            ids=lambda: IntentIds(world.epoch, world.execution, name, next(lives)),
            want=stage.demands[exchange].want,
        )
        return Child(
            name,
            run,
            stage.mailboxes[name],
            bot_policy(bot),
            is_enabled=bot.enabled and bot.name not in world.stopped_bots,
            while_down="its position stays guarded",
        )

    def _board(self) -> Child:
        stage, world = self.stage, self.world
        mailbox, lives = stage.mailboxes["board"], count(1)

        async def run(  # noqa: ASYNC128 -- the actor's own body calls started()
            *, task_status: trio.TaskStatus[None]
        ) -> None:
            for exchange, demand in stage.demands.items():
                tickers = {
                    Subscription(bot.symbol, Channel.TICKER)
                    for bot in stage.config.bots
                    if stage.config.accounts[bot.account].exchange == exchange
                }
                demand.want(Wanted("board", frozenset(tickers)))
            await run_board(
                mailbox,
                stage.door("board", "wish", "journal"),
                world.desk,
                self,
                bots={bot.name: bot.account for bot in stage.config.bots},
                clock=world.clock,
                announce=world.announce,
                is_first_life=next(lives) == 1,
                task_status=task_status,
            )

        return Child("board", run, mailbox, self._policy("retry"))

    def _policy(self, on_exhausted: Exhaustion) -> Policy:
        return policy(self.stage.config.supervision, on_exhausted)
