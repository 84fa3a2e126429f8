"""Carries out the fault script: begins, ends and repeats what goes wrong."""

from __future__ import annotations

import trio

from adapters.simulator.exchange import Exchange
from adapters.simulator.faults import Active, Fault
from adapters.simulator.live import Connections


class Mischief:
    """The script at work, for one life of the simulator."""

    def __init__(
        self, exchange: Exchange, connections: Connections, nursery: trio.Nursery
    ) -> None:
        self._exchange = exchange
        self._connections = connections
        self._nursery = nursery
        self._listening = trio.CancelScope()
        self._reopened = trio.Event()
        self._reopened.set()
        self._refusals = 0  # that overlap; the last one to end opens the port

    def inject(self, fault: Fault) -> None:
        """Begin `fault` now and end it in its time."""
        self._nursery.start_soon(self._end, fault, self._begin(fault))

    async def follow(self, fault: Fault) -> None:
        """Carry out one line of the script."""
        began_s = self._exchange.clock.elapsed_s()
        await self._exchange.wait_orders(fault.after_orders)
        if fault.at_s is not None:
            await trio.sleep(max(0.0, fault.at_s - began_s))
        while True:
            next_s = trio.current_time() + fault.every_s
            await self._end(fault, self._begin(fault))
            if not fault.every_s:
                return
            await trio.sleep_until(next_s)

    def listening(self) -> trio.CancelScope:
        """Return a scope to listen in: it is cancelled when the port is to be closed."""
        self._listening = trio.CancelScope()
        return self._listening

    async def wait_reopened(self) -> None:
        await self._reopened.wait()

    def _begin(self, fault: Fault) -> Active:
        active = self._exchange.faults.begin(fault, self._exchange.now_ms())
        match fault.kind:
            case "disconnect":
                self._connections.cut(fault.connection)
                self._strike_once(active)
            case "half_open":
                self._connections.mute(fault.connection)
                self._strike_once(active)
            case "server_shutdown":
                self._connections.announce_shutdown(
                    fault.connection, self._exchange.now_ms()
                )
                self._strike_once(active)
            case "purge":
                self._exchange.purge(fault.symbol)
                self._strike_once(active)
            case "storm":
                self._connections.cut(fault.connection)
            case "refuse":
                self._refusals += 1
                if self._reopened.is_set():
                    self._reopened = trio.Event()
                self._connections.cut("")
                self._listening.cancel()
            case _:
                pass
        return active

    async def _end(self, fault: Fault, active: Active) -> None:
        if fault.kind == "server_shutdown":
            await trio.sleep(fault.delay_s)
            self._connections.cut(fault.connection)
            return
        await trio.sleep(fault.duration_s)
        self._exchange.faults.end(active)
        if fault.kind == "refuse":
            self._refusals -= 1
            if not self._refusals:
                self._reopened.set()

    def _strike_once(self, active: Active) -> None:
        """Count an act that hits the connections of this moment and is over."""
        self._exchange.faults.count(active.fault.kind)
        self._exchange.faults.end(active)
