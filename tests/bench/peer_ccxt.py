"""ccxt.pro reading the flooder's 24hrTicker frames of fifty symbols.

    python -m tests.bench.peer_ccxt SPEC

Counts the frames that it handled; whoever awaits `watch_tickers` wakes seldom when it is
flooded. Prints what it noted as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from importlib import import_module
from typing import Any

from tests.bench.exchange import symbol

SETTLE_S = 1.0
ccxt: Any = import_module("ccxt.pro")


async def watch(exchange: Any, symbols: list[str], wakes: list[int]) -> None:
    while True:
        await exchange.watch_tickers(symbols)
        wakes[0] += 1


async def measure(spec: dict[str, Any]) -> dict[str, float]:
    exchange = ccxt.binance({"enableRateLimit": False})
    rest = f"{spec['where']['rest_url']}/api/v3"
    exchange.urls["api"] |= {"public": rest, "private": rest, "v1": rest}
    exchange.urls["api"]["ws"]["spot"] = spec["url"]
    exchange.options |= {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False}
    exchange.has["fetchCurrencies"] = False
    handled, wakes, handle = [0], [0], exchange.handle_message

    def counted(client: Any, message: Any) -> None:
        handled[0] += 1
        handle(client, message)

    exchange.handle_message = counted
    await exchange.load_markets()
    symbols = [symbol(number) for number in range(spec["symbols"])]
    watching = asyncio.create_task(watch(exchange, symbols, wakes))
    await asyncio.sleep(SETTLE_S + 1)
    before = handled[0], wakes[0], time.monotonic(), time.process_time()
    await asyncio.sleep(spec["seconds"])
    noted = {
        "frames": handled[0] - before[0],
        "wakes": wakes[0] - before[1],
        "symbols": len(exchange.tickers),
        "seconds": time.monotonic() - before[2],
        "cpu_s": time.process_time() - before[3],
    }
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await exchange.close()
    return noted


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(measure(json.loads(sys.argv[1])))))
