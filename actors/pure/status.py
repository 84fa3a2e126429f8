"""Put the state of the fleet into plain data, ready for JSON. Pure.

One shape for a fleet that answers and for its ledger; the second has no ages of prices and
says how the run ended, if it has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from actors.messages import FeedState, Link
from actors.messages.board import Alarmed, AlarmId, Evaluated, Outcome, PositionSeen
from actors.messages.supervision import ActorState, State
from actors.pure.bot_seen import BotSeen
from actors.pure.halts import halt_words
from actors.pure.money import ZERO, plain
from actors.pure.read_model import AccountSeen, ReadModel

Status = Mapping[str, Any]


@attrs.define
class Live:
    """What only a running fleet knows."""

    feeds: dict[str, FeedState] = attrs.Factory(dict[str, FeedState])
    evaluated: dict[str, Evaluated] = attrs.Factory(dict[str, Evaluated])
    positions: dict[str, PositionSeen] = attrs.Factory(dict[str, PositionSeen])
    alarms: dict[AlarmId, Alarmed] = attrs.Factory(dict[AlarmId, Alarmed])
    actors: Sequence[ActorState] = ()


def status_of(
    model: ReadModel,
    now_ms: int,
    live: Live | None = None,
    now_s: float = 0.0,
    *,
    is_held: bool = False,
) -> Status:
    """Return the whole status as plain data, ready for JSON.

    `is_held`: a process has the state folder, though only the ledger tells of it.
    """
    return {
        "run": _run(model, live, is_held=is_held),
        "exchanges": _exchanges(model, live, now_s),
        "prices": {
            str(pair): {
                "exchange": pair.exchange,
                "symbol": pair.symbol,
                "price": plain(seen.price),
                "age_s": round((now_ms - seen.at_ms) / 1000, 1),
                "source": seen.source,
            }
            for pair, seen in sorted(model.prices.items())
        },
        "accounts": {
            name: _account(name, seen, model, now_ms)
            for name, seen in sorted(model.accounts.items())
        },
        "bots": {name: _bot(name, bot, model, live) for name, bot in model.bots.items()},
        "alarms": _alarms(model, now_ms, live),
        "actors": _actors(model, live),
    }


def _run(model: ReadModel, live: Live | None, *, is_held: bool) -> dict[str, Any]:
    is_running = live is not None or (is_held and not model.stopped)
    return {
        "execution": model.execution,
        "mode": model.mode,
        "version": model.version,
        "started_ms": model.started_ms,
        "is_running": is_running,
        "is_answering": live is not None,
        "ended": model.stopped or ("" if is_running else "without a goodbye"),
        "seq": model.seq,
        "restarts": model.restarts,
    }


def _alarms(model: ReadModel, now_ms: int, live: Live | None) -> list[str]:
    """Return what wants a person; halts stand in the ledger, so they are told of it too."""
    halts = [
        f"{halted.bot or f'account {halted.account}'} is halted, {halt_words(halted)}"
        for halted in model.halts.standing(now_ms)
    ]
    return halts + [alarm.text for alarm in live.alarms.values()] if live else halts


def _exchanges(model: ReadModel, live: Live | None, now_s: float) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    feeds = live.feeds if live is not None else {}
    for name in sorted(model.exchanges.keys() | feeds.keys()):
        seen = model.exchanges.get(name)
        feed = feeds.get(name)
        is_connected = seen is not None and seen.is_connected
        link = seen.link if seen is not None else "connecting"
        if live is None:
            link = "was connected" if is_connected else link  # nobody said goodbye
            is_connected = False
        elif feed is not None:
            if is_connected and feed.link is not Link.RESUMED:
                link = feed.reason or feed.link.value  # before the ledger says it
            if feed.symbols:  # of one connection of several
                link = f"no prices of {', '.join(feed.symbols)}: {link}"
            is_connected = feed.link is Link.RESUMED
        shown[name] = {
            "is_connected": is_connected,
            "link": "connected" if is_connected else link,
            "for_s": round(now_s - feed.since_s, 1) if feed is not None else None,
            "disconnects": seen.disconnects if seen is not None else 0,
            "bad_frames": feed.bad_frames if feed is not None else 0,
            "prices_replaced": feed.prices_replaced if feed is not None else 0,
            "over_rest": sorted(seen.fallback) if seen is not None else [],
            "offset_ms": seen.offset_ms if seen is not None else None,
            "round_trip_ms": seen.round_trip_ms if seen is not None else 0,
        }
    return shown


def _account(name: str, seen: AccountSeen, model: ReadModel, now_ms: int) -> dict[str, Any]:
    earned = (bot.pnl for bot in model.bots.values() if bot.account == name)
    owner = {"owner": model.owners[name]} if name in model.owners else {}
    return {
        **owner,
        **attrs.asdict(seen),
        "reconciled_age_s": round((now_ms - seen.reconciled_ms) / 1000, 1),
        "pnl": f"{sum(earned, ZERO):.2f}",
    }


def _bot(name: str, bot: BotSeen, model: ReadModel, live: Live | None) -> dict[str, Any]:
    evaluated = live.evaluated.get(name) if live is not None else None
    position = live.positions.get(name) if live is not None else None
    outcome = bot.outcome
    if evaluated is not None and evaluated.outcome in {Outcome.HOLD, Outcome.REFUSED}:
        said = evaluated.outcome.value
        said = "HOLD" if evaluated.outcome is Outcome.HOLD else said  # as the ledger says
        outcome = f"{said} {evaluated.code}".rstrip()
        outcome += f": {'; '.join(evaluated.reasons)}" if evaluated.reasons else ""
    owner = {"owner": model.bot_owners[name]} if name in model.bot_owners else {}
    return {
        **owner,
        "symbol": bot.symbol,
        "exchange": bot.exchange,
        "state": _bot_state(name, bot, model, live),
        "position": _position(bot, position),
        "outcome": outcome,
        "signals": bot.signals,
        "orders": bot.orders,
        "fills": bot.fills,
        "refusals": bot.refusals,
        "unknown_orders": sorted(bot.unknown),
        "closed": bot.closed,
        "pnl": f"{bot.pnl:.2f}",
    }


def _bot_state(name: str, bot: BotSeen, model: ReadModel, live: Live | None) -> str:
    path = model.paths.get(f"bot:{name}", f"bots/bot:{name}")
    state = model.actors[path].state if path in model.actors else "STOPPED"
    for actor in live.actors if live is not None else ():
        if actor.path.endswith(f"/bot:{name}"):
            state = actor.state.value
    if bot.is_stopped:
        return "stopped by an operator"
    if bot.paused and state == State.RUNNING.value:
        return f"paused: {bot.paused}"
    if live is None and not model.stopped:
        return f"was {state.lower()}"
    return state.lower()


def _position(bot: BotSeen, seen: PositionSeen | None) -> dict[str, Any] | None:
    position = bot.position
    if position is None:
        return None
    shown = {
        key: plain(number)
        for key in ("entry", "base", "stop_loss", "take_profit", "trailing_stop")
        if (number := getattr(position, key)) is not None
    }
    if seen is not None and seen.position_id == position.position_id:
        if seen.unrealized_pnl is not None:
            shown["unrealized_pnl"] = f"{seen.unrealized_pnl:.2f}"
        if seen.stop_loss is not None:
            shown["stop_loss"] = plain(seen.stop_loss)
    if bot.resting_stop is not None:
        shown["resting_stop"] = plain(bot.resting_stop)
    return shown


def _actors(model: ReadModel, live: Live | None) -> list[dict[str, Any]]:
    if live is not None:
        return [
            {
                "path": actor.path,
                "state": actor.state.value,
                "incarnation": actor.incarnation,
                "consecutive": actor.consecutive,
                "error": actor.error,
                "depth": actor.depth,
                "taken": actor.taken,
                "completed": actor.completed,
                "replaced": actor.replaced,
                "uptime_s": round(actor.uptime_s, 1),
                "next_try_s": actor.next_try_s,
            }
            for actor in live.actors
        ]
    return [
        {
            "path": path,
            "state": actor.state,
            "incarnation": actor.incarnation,
            "consecutive": actor.consecutive,
            "error": actor.error,
            "depth": 0,
        }
        for path, actor in model.actors.items()
    ]
