"""The private side of a paper account: no key, no signer, nothing is sent (R-44)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from decimal import Decimal
from typing import Final

import attrs
import trio

from actors.messages import (
    Instrument,
    OrderRequest,
    OrderStatus,
    VenueAck,
    VenueBalance,
    VenueFill,
    VenueOrder,
    VenueReject,
    VenueReplaced,
    VenueUnknown,
)
from actors.ports import Market, PrivateStream, WallClock
from actors.ports_store import Store
from actors.pure.paper_account import PaperAccount
from actors.pure.paper_matching import PaperFees, place, refusal
from actors.pure.paper_sight import Sight
from actors.pure.paper_words import PaperEnded
from adapters.errors import VenueError
from adapters.paper.desk import DeskShut, PaperDesk
from adapters.paper.stream import open_paper_stream

Outcome = VenueAck | VenueReject | VenueUnknown
PRICE_S: Final = 3.0  # for a price over REST, where no stream has told one


@attrs.frozen
class PaperSettings:
    """What one paper account is."""

    exchange: str
    account: str
    symbols: frozenset[str]
    balances: Mapping[str, Decimal]  # it begins with, by asset
    fees: PaperFees


@attrs.define(eq=False)
class PaperTrading:
    """Implements `Trading`; the mapping of instruments belongs to the catalogue."""

    forgets_canceled = False

    _market: Market
    _instruments: Mapping[str, Instrument]
    _settings: PaperSettings
    _desk: PaperDesk
    _sights: dict[str, Sight]

    @classmethod
    def of(
        cls,
        market: Market,
        instruments: Mapping[str, Instrument],
        store: Store,
        clock: WallClock,
        settings: PaperSettings,
    ) -> PaperTrading:
        """Return the account that `store` holds; a new one where it holds none."""
        desk = PaperDesk(
            settings.exchange, settings.account, settings.balances, store, clock
        )
        sights = {
            each: Sight.of(settings.exchange, each) for each in sorted(settings.symbols)
        }
        return cls(market, instruments, settings, desk, sights)

    def open_private(self) -> AbstractAsyncContextManager[PrivateStream]:
        return open_paper_stream(
            self._market, self._desk, self._settings.fees, self._sights
        )

    @asynccontextmanager
    async def open_orders_connection(
        self,
    ) -> AsyncGenerator[Callable[[], Awaitable[None]]]:
        """Open nothing: orders stay in this process."""
        await trio.lowlevel.checkpoint()
        yield trio.sleep_forever

    async def place(self, request: OrderRequest) -> Outcome:
        """Take one order, as far as the market that is seen now lets it."""
        order_id = request.client_order_id
        instrument = self._instruments.get(request.symbol)
        sight = await self._seen(request.symbol)
        if instrument is None:
            text = f"{request.symbol} is not listed, as far as is known"
            return VenueReject(order_id, "unknown_symbol", text)
        async with self._desk.turn:
            try:
                account = await self._desk.account()
                if order_id in account.orders:
                    return VenueUnknown(order_id, "there is an order of this id already")
                refused = refusal(request, instrument, account, sight)
                if refused is not None:
                    return VenueReject(order_id, *refused)
                fees, now_ms = self._settings.fees, self.now_ms()
                facts = place(request, instrument, account, sight, fees, now_ms)
                await self._desk.commit(facts)
            except DeskShut as error:
                return VenueUnknown(order_id, str(error))
            return _ack(account, order_id)

    async def cancel(self, symbol: str, client_order_id: str) -> Outcome:
        """End an order, if it is still live."""
        async with self._desk.turn:
            try:
                return await self._cancel(symbol, client_order_id)
            except DeskShut as error:
                return VenueUnknown(client_order_id, str(error))

    async def replace(self, client_order_id: str, request: OrderRequest) -> VenueReplaced:
        """Cancel an order nothing of which was executed, then place another."""
        new_id, symbol = request.client_order_id, request.symbol
        async with self._desk.turn:
            try:
                cancelled = await self._cancel(symbol, client_order_id, is_untouched=True)
            except DeskShut as error:
                cancelled = VenueUnknown(client_order_id, str(error))
        if isinstance(cancelled, VenueAck):
            return VenueReplaced(cancelled, await self.place(request))
        if isinstance(cancelled, VenueReject):
            no = VenueReject(new_id, "not_replaced", cancelled.reason)
            return VenueReplaced(cancelled, no)
        return VenueReplaced(cancelled, VenueUnknown(new_id, cancelled.reason))

    async def order(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        """Return the order, or None: there is none, or it ended a week ago."""
        async with self._desk.turn:
            account = await self._desk.account()
            order = account.orders.get(client_order_id)
            if order is None or order.request.symbol != symbol:
                return None
            return account.told(order)

    async def open_orders(self, symbols: Sequence[str]) -> Sequence[VenueOrder]:
        async with self._desk.turn:
            account = await self._desk.account()
            live = account.live.values()
            return [account.told(it) for it in live if it.request.symbol in symbols]

    async def past_orders(self, symbol: str, *, since_ms: int) -> Sequence[VenueOrder]:
        async with self._desk.turn:
            account = await self._desk.account()
            return [
                account.told(order)
                for order in account.orders.values()
                if order.request.symbol == symbol and order.updated_ms >= since_ms
            ]

    async def fills(self, symbol: str, *, since_ms: int) -> Sequence[VenueFill]:
        async with self._desk.turn:
            account = await self._desk.account()
            return [
                fill
                for fill in account.fills
                if fill.symbol == symbol and fill.trade_ms >= since_ms
            ]

    async def balances(self) -> Sequence[VenueBalance]:
        async with self._desk.turn:
            return (await self._desk.account()).balances()

    def now_ms(self) -> int:
        """Return this machine's clock: it is the paper venue's own."""
        return self._desk.clock.now_ms()

    async def _seen(self, symbol: str) -> Sight:
        """Return what is seen of a market; without a stream, one price over REST.

        An exit must not wait for a stream (I-12); what REST tells is forgotten again.
        """
        sight = self._sights.get(symbol)
        if sight is not None and sight.has_price:
            await trio.lowlevel.checkpoint()
            return sight
        once = Sight.of(self._settings.exchange, symbol)
        with trio.move_on_after(PRICE_S):
            try:
                once.hear(await self._market.ticker(symbol))
            except VenueError:
                await trio.lowlevel.checkpoint()  # then there is no price
        return once

    async def _cancel(
        self, symbol: str, client_order_id: str, *, is_untouched: bool = False
    ) -> Outcome:
        account = await self._desk.account()
        order = account.live.get(client_order_id)
        if order is None or order.request.symbol != symbol:
            return VenueReject(client_order_id, "unknown_order", "there is none that lives")
        if is_untouched and order.filled_base:
            return VenueReject(client_order_id, "partly_filled", "part of it was executed")
        ended = PaperEnded(client_order_id, OrderStatus.CANCELED, "", self.now_ms())
        await self._desk.commit([ended])
        return _ack(account, client_order_id)


def _ack(account: PaperAccount, client_order_id: str) -> VenueAck:
    told = account.told(account.orders[client_order_id])
    return VenueAck(
        client_order_id,
        told.venue_order_id,
        told.status,
        told.filled_base,
        told.update_ms,
        tuple(fill for fill in account.fills if fill.client_order_id == client_order_id),
    )
