"""Ticker frames of each venue, rendered once; every one has room for when it was sent.

The moment stands where a frame says the volume of 24 hours, in microseconds of
CLOCK_MONOTONIC: every codec reads that figure exactly, and no venue's clock is as fine.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import attrs

from adapters.websocket_server import frame
from tests.bench.exchange import symbol

ROOM = b"7777777777777"  # where the moment goes
BASE = 10**12  # keeps it at thirteen digits
VARIANTS = 64  # different frames of one symbol


@attrs.frozen
class Flood:
    """What one venue's connection says."""

    frames: list[bytes]
    answers: Callable[[Mapping[str, Any]], list[str]]  # to what a client says


def stamped(frames: bytes, now_us: int) -> bytes:
    return frames.replace(ROOM, b"%d" % (BASE + now_us))


def sent_us(volume: Decimal) -> int:
    """Return when a frame with this volume was sent."""
    return int(volume) - BASE


def flood_of(kind: str, symbols: int) -> Flood:
    """Return the frames of so many symbols in turn, as the venue `kind` writes them."""
    write, answers = _KINDS[kind]
    numbers = [(n, variant) for variant in range(VARIANTS) for n in range(symbols)]
    frames = [frame(write(n, variant).encode()) for n, variant in numbers]
    assert all(each.count(ROOM) == 1 for each in frames)
    return Flood(frames, answers)


def _binance_ticker(number: int, variant: int) -> str:
    name, price = symbol(number).replace("/", ""), f"{61837.63 + variant / 100:.8f}"
    return (
        f'{{"stream":"{name.lower()}@ticker","data":{{"e":"24hrTicker","E":1723161255000,'
        f'"s":"{name}","p":"1239.99000000","P":"2.046","w":"59718.64391870",'
        f'"x":"60597.64000000","c":"{price}","Q":"0.00150000","b":"{price}",'
        f'"B":"1.54698000","a":"{price}","A":"4.96213000","o":"60597.64000000",'
        f'"h":"62745.14000000","l":"59500.00000000","v":"{ROOM.decode()}",'
        f'"q":"1942424341.76450150","O":1723074855000,"C":1723161255000,"F":3735683259,'
        f'"L":3737687263,"n":2004005}}}}'
    )


def _binance_top(number: int, variant: int) -> str:
    name, price = symbol(number).replace("/", ""), f"{61837.63 + variant / 100:.8f}"
    return (
        f'{{"stream":"{name.lower()}@bookTicker","data":{{"u":400900217,"s":"{name}",'
        f'"b":"{price}","B":"31.21000000","a":"{price}","A":"{ROOM.decode()}"}}}}'
    )


def _binance_answers(said: Mapping[str, Any]) -> list[str]:
    return [json.dumps({"result": None, "id": said.get("id")}, separators=(",", ":"))]


def _kraken_ticker(number: int, variant: int) -> str:
    price = f"{61837.6 + variant / 10:.1f}"
    return (
        f'{{"channel":"ticker","type":"update","data":[{{"symbol":"{symbol(number)}",'
        f'"bid":{price},"bid_qty":1.54698000,"ask":{price},"ask_qty":4.96213000,'
        f'"last":{price},"volume":{ROOM.decode()},"vwap":59718.6,"low":59500.0,'
        f'"high":62745.1,"change":1239.9,"change_pct":2.05,'
        f'"timestamp":"2026-05-27T10:00:00.123456Z"}}]}}'
    )


def _kraken_answers(said: Mapping[str, Any]) -> list[str]:
    params = said.get("params", {})
    return [
        json.dumps(
            {
                "method": said["method"],
                "result": {**{k: v for k, v in params.items() if k != "symbol"},
                           "symbol": name},
                "success": True,
                "time_in": "2026-05-27T10:00:00.000000Z",
                "time_out": "2026-05-27T10:00:00.000001Z",
                "req_id": said.get("req_id"),
            },
            separators=(",", ":"),
        )
        for name in params.get("symbol", [])
    ]  # fmt: skip


def _coinbase_ticker(number: int, variant: int) -> str:
    name, price = symbol(number).replace("/", "-"), f"{61837.63 + variant / 100:.2f}"
    return (
        f'{{"type":"ticker","sequence":{37475248783 + variant},"product_id":"{name}",'
        f'"price":"{price}","open_24h":"60597.64","volume_24h":"{ROOM.decode()}",'
        f'"low_24h":"59500","high_24h":"62745.14","volume_30d":"306842.78","best_bid":'
        f'"{price}","best_bid_size":"0.01","best_ask":"{price}","best_ask_size":"0.02",'
        f'"side":"buy","time":"2026-05-27T10:00:00.123456Z",'
        f'"trade_id":{370843401 + variant},"last_size":"0.00006563"}}'
    )


def _coinbase_answers(said: Mapping[str, Any]) -> list[str]:
    named = {"product_ids": said.get("product_ids", [])}
    channels = [
        {"name": each, **named} if isinstance(each, str) else each
        for each in said.get("channels", [])
    ]
    return [json.dumps({"type": "subscriptions", "channels": channels})]


_KINDS = {
    "binance": (_binance_ticker, _binance_answers),
    "binance-book-top": (_binance_top, _binance_answers),
    "kraken": (_kraken_ticker, _kraken_answers),
    "coinbase": (_coinbase_ticker, _coinbase_answers),
}
