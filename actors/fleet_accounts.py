"""One account's four actors: stream, risk, orders, positions. A tenant of the fleet."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count

import attrs

from actors.account import AccountSettings, run_account
from actors.fleet_settings import (
    limits_of,
    policy,
    symbols_of,
    wards_of,
)
from actors.fleet_stage import Stage
from actors.fleet_world import Venue, World
from actors.orders import run_orders
from actors.orders_attempts import OrdersSettings
from actors.ports import Trading
from actors.positions import run_positions
from actors.pure.breaker import Exhaustion, Policy
from actors.pure.client_order_id import IntentIds
from actors.pure.config import AccountConfig
from actors.pure.price_trust import PriceLimits
from actors.pure.risk_recheck import recheck
from actors.risk import run_risk
from actors.supervisor import Child

EXITS_RESET_S = 5.0  # exits must never wait behind an open circuit


@attrs.define(eq=False)
class AccountGroup:
    """Makes the children of one account."""

    stage: Stage
    world: World
    name: str
    account: AccountConfig
    epoch: str  # of the ledger that keeps it
    is_stopping: Callable[[], bool]

    def children(self) -> list[Child]:
        """Return the account's children, in the order of starting."""
        venue = self.world.venues[self.account.exchange]
        trading = venue.trading(self.name)
        return [
            self._account(trading),
            self._risk(trading, venue),
            self._orders(trading, venue),
            self._positions(venue),
        ]

    def _account(self, trading: Trading) -> Child:
        actor, stage = f"account:{self.name}", self.stage
        run = partial(
            run_account,
            stage.mailboxes[actor],
            trading,
            stage.door(actor, "latest", f"orders:{self.name}"),
            stage.journal(actor),
            settings=AccountSettings(
                self.name,
                self.world.tags[self.name],
                self.account.exchange,
                {it.name: it.symbol for it in stage.config.bots_of(self.name)},
                stage.config.exchanges[self.account.exchange].reconnect,
                epoch=self.epoch,
                execution=self.world.execution,
            ),
            random=self.world.random,
            board=stage.door(actor, "latest", "board"),
            told={},
        )
        return Child(actor, run, stage.mailboxes[actor], self._policy("retry"))

    def _risk(self, trading: Trading, venue: Venue) -> Child:
        actor, stage = f"risk:{self.name}", self.stage
        run = partial(
            run_risk,
            stage.mailboxes[actor],
            stage.door(actor, "wish", f"orders:{self.name}"),
            stage.journal(actor),
            account=self.name,
            limits=limits_of(stage.config, self.name),
            instruments=venue.instruments,
            want=stage.demands[self.account.exchange].want,
            now_ms=trading.now_ms,
            symbols=symbols_of(stage.config, self.name),
        )
        return Child(
            actor,
            run,
            stage.mailboxes[actor],
            self._policy("escalate"),
            while_down="entries are refused risk_down, exits go on",
            closed_code="risk_down",
        )

    def _orders(self, trading: Trading, venue: Venue) -> Child:
        actor, stage, world = f"orders:{self.name}", self.stage, self.world
        left: list[str] = []
        run = partial(
            run_orders,
            stage.mailboxes[actor],
            trading,
            stage.journal(actor),
            venue.instruments,
            world.emergency[self.name],
            settings=OrdersSettings(
                self.name,
                world.tags[self.name],
                self.epoch,
                stage.config.exchanges[self.account.exchange].reconnect,
                world.execution,
                {it.name: it.symbol for it in stage.config.bots_of(self.name)},
            ),
            recheck=partial(recheck, limits_of(stage.config, self.name)),
            is_stopping=self.is_stopping,
            random=world.random,
            board=stage.door(actor, "latest", "board"),
            catalogue=stage.door(actor, "latest", f"catalogue:{self.account.exchange}"),
            leave=left.append,
        )
        return Child(
            actor,
            run,
            stage.mailboxes[actor],
            self._guard("escalate"),
            stop_s=12,
            has_goodbye=True,
            left=lambda: left.pop() if left else "",
        )

    def _positions(self, venue: Venue) -> Child:
        actor, stage, world = f"positions:{self.name}", self.stage, self.world
        lives = count(1)
        run = partial(
            run_positions,
            stage.mailboxes[actor],
            stage.door(actor, "wish", f"orders:{self.name}"),
            stage.journal(actor),
            stage.door(actor, "latest", "board"),
            account=self.name,
            wards=wards_of(stage.config, self.name),
            price_limits=PriceLimits(),
            instruments=venue.instruments,
            want=stage.demands[self.account.exchange].want,
            ids=lambda: IntentIds(self.epoch, world.execution, actor, next(lives)),
        )
        return Child(actor, run, stage.mailboxes[actor], self._guard("escalate"))

    def _policy(self, on_exhausted: Exhaustion) -> Policy:
        return policy(self.stage.config.supervision, on_exhausted)

    def _guard(self, on_exhausted: Exhaustion) -> Policy:
        """Return the policy of those whom exits need: a short reset."""
        return attrs.evolve(self._policy(on_exhausted), reset_s=EXITS_RESET_S)
