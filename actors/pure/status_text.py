"""Put the status of the fleet into the lines that `shoal status` shows. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from actors.pure.config_summary import count
from actors.pure.lines import on_one_line
from actors.pure.money import signed
from actors.pure.status import Status


def status_lines(status: Status) -> list[str]:
    """Return the status as people read it; a venue's text cannot forge a line."""
    run = status["run"]
    ending = "running" if run["is_running"] else f"ended: {run['ended']}"
    if run["is_running"] and not run["is_answering"]:
        ending += ", but it does not answer: this is what its ledger says"
    lines = [
        f"run {run['execution']} · mode {run['mode']} · {ending}"
        f" · {count(run['restarts'], 'restart')} · {count(run['seq'], 'fact')} recorded"
    ]
    for name, exchange in status["exchanges"].items():
        lines += [_exchange_line(name, exchange), *_price_lines(status, name)]
    lines += _price_lines(status, "")
    for name, account in status["accounts"].items():
        lines += _account_lines(name, account)
    lines += [f"alarm: {text}" for text in status["alarms"]]
    has_several = len(status["exchanges"]) > 1
    for name, bot in status["bots"].items():
        lines += _bot_lines(name, bot, has_several=has_several)
    for actor in status["actors"]:
        if actor["error"] or actor["state"] not in {"RUNNING", "STOPPED"}:
            error = f" · last error {actor['error']}" if actor["error"] else ""
            lines.append(
                f"actor {actor['path']}  {actor['state'].lower()}"
                f" · life {actor['incarnation']}{error}"
            )
    return [on_one_line(line) for line in lines]


def _exchange_line(name: str, exchange: Mapping[str, Any]) -> str:
    over_rest = exchange["over_rest"]
    extra = f" · over REST: {', '.join(over_rest)}" if over_rest else ""
    if exchange["bad_frames"]:
        extra += f" · {exchange['bad_frames']} unreadable frames"
    if exchange["prices_replaced"]:
        extra += f" · {exchange['prices_replaced']:,} prices replaced by newer ones"
    if exchange["offset_ms"] is not None:
        extra += f" · clock {exchange['offset_ms']:+d} ms"
    disconnects = count(exchange["disconnects"], "disconnect")
    return f"{name}  {exchange['link']} · {disconnects}{extra}"


def _price_lines(status: Status, exchange: str) -> list[str]:
    """Return the prices of one exchange; for "", those of one that is not shown."""
    return [
        f"  {price['symbol']}  {price['price']}  {price['age_s']} s ago"
        for price in status["prices"].values()
        if exchange
        == (price["exchange"] if price["exchange"] in status["exchanges"] else "")
    ]


def _account_lines(name: str, account: Mapping[str, Any]) -> list[str]:
    open_orders = count(account["open_orders"], "open order")
    foreign = account["foreign_orders"]
    strange = f" · {count(foreign, 'order')} not ours" if foreign else ""
    agrees = "differed from" if account["drifts"] else "agreed with"
    age = f"{account['reconciled_age_s']} s ago"
    lines = [
        f"account {name}{_of(account)}  {agrees} the exchange {age}: {open_orders}{strange}"
        f" · pnl {signed(Decimal(account['pnl']))}"
    ]
    return lines + [f"  drift: {drift}" for drift in account["drifts"]]


def _of(shown: Mapping[str, Any]) -> str:
    """Return whose it is, where there are several owners."""
    return f" of {shown['owner']}" if "owner" in shown else ""


def _where(stop: str, resting: str | None) -> str:
    """Return where the stop is: at the exchange, a little lower there, or only here."""
    if resting is None:
        return " (not at the exchange)"
    return " (at the exchange)" if resting == stop else f" (at the exchange {resting})"


def _bot_lines(name: str, bot: Mapping[str, Any], *, has_several: bool) -> list[str]:
    position = bot["position"]
    holds = "flat"
    if position is not None:
        holds = f"holds {position['base']} from {position['entry']}"
        for key, word in (("stop_loss", "stop"), ("take_profit", "target")):
            if key in position:
                holds += f", {word} {position[key]}"
            if key == "stop_loss" and key in position:
                holds += _where(position[key], position.get("resting_stop"))
        if "unrealized_pnl" in position:
            holds += f", now {signed(Decimal(position['unrealized_pnl']))}"
    where = f" at {bot['exchange']}" if has_several and bot["exchange"] else ""
    lines = [
        f"bot {name}{_of(bot)}  {bot['symbol']}{where}  {bot['state']} · {holds}"
        f" · {count(bot['orders'], 'order')}, {count(bot['fills'], 'fill')},"
        f" {bot['closed']} closed, pnl {signed(Decimal(bot['pnl']))}",
        f"  last: {bot['outcome']}",
    ]
    lines += [f"  order {order} is UNKNOWN" for order in bot["unknown_orders"]]
    return lines
