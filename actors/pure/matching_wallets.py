"""Who holds what, free and locked. Money only moves here; it never appears. Pure."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal

import attrs

from actors.messages import Side
from actors.pure.matching_orders import MAKERS, ZERO, Order, Pair, Trade

ONE = Decimal(1)
FEE_STEP = Decimal("0.00000001")


@attrs.define
class Holding:
    free: Decimal = ZERO
    locked: Decimal = ZERO


class Overdrawn(Exception):
    """An account would owe: the engine let an order through that it cannot pay for."""


class Wallets:
    """Holdings by account and asset. Only the makers may owe."""

    def __init__(self) -> None:
        self.holdings: dict[str, dict[str, Holding]] = {}
        self.fees: dict[str, Decimal] = {}

    def holding(self, account: str, asset: str) -> Holding:
        return self.holdings.setdefault(account, {}).setdefault(asset, Holding())

    def free(self, account: str, asset: str) -> Decimal:
        return self.holding(account, asset).free

    def add(self, account: str, asset: str, amount: Decimal) -> None:
        """Move `amount` into (or, negative, out of) what is free.

        Raises:
          Overdrawn: an account other than the makers' would owe.
        """
        holding = self.holding(account, asset)
        holding.free += amount
        if holding.free < 0 and account != MAKERS:
            raise Overdrawn(f"{account} {asset} free {holding.free}")

    def lock(self, account: str, asset: str, amount: Decimal) -> None:
        """Move `amount` from free to locked; negative moves it back.

        Raises:
          Overdrawn: there is not so much.
        """
        holding = self.holding(account, asset)
        holding.free -= amount
        holding.locked += amount
        if holding.free < 0 or holding.locked < 0:
            raise Overdrawn(
                f"{account} {asset} free {holding.free} locked {holding.locked}"
            )

    def pay(self, order: Order, trade: Trade, pair: Pair, on_top: Decimal = ZERO) -> None:
        """Take from the trader what the trade costs, first from what the order locked.

        What a buyer locked for a fee `on_top` of the price is free again before the fee
        is taken.
        """
        if order.side is Side.BUY:
            paid, asset = trade.price * trade.base, pair.quote_asset
            per_base = order.price * (1 + on_top)
        else:
            paid, asset, per_base = trade.base, pair.base_asset, ONE
        if order.locked:
            order.locked -= per_base * trade.base
            self.lock(order.account, asset, -per_base * trade.base)
        self.add(order.account, asset, -paid)

    def receive(
        self,
        order: Order,
        trade: Trade,
        pair: Pair,
        rate: Decimal,
        *,
        is_fee_in_quote: bool = False,
    ) -> tuple[Decimal, str]:
        """Give the trader what it traded for, take the fee; return fee and its asset."""
        bought = trade.base, pair.base_asset
        quoted = trade.price * trade.base, pair.quote_asset
        is_buy = order.side is Side.BUY
        got, asset = bought if is_buy else quoted
        self.add(order.account, asset, got)
        charged, asset = bought if is_buy and not is_fee_in_quote else quoted
        fee = (charged * rate).quantize(FEE_STEP, ROUND_DOWN)
        self.add(order.account, asset, -fee)
        self.fees[asset] = self.fees.get(asset, ZERO) + fee
        return fee, asset

    def total(self, asset: str) -> Decimal:
        """Return everything of one asset, fees included: no trade may change it."""
        held = self.fees.get(asset, ZERO)
        for assets in self.holdings.values():
            if asset in assets:
                held += assets[asset].free + assets[asset].locked
        return held
