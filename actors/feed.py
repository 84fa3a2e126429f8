"""One exchange's shared market-data connections: subscribe, fan out, reconnect.

demand --Wanted (latest)-------> [feed] --Ticker, Candles, … (latest)--> readers
clock  --ClockStepped (latest)-> [feed] --FeedState (latest)-----------> readers
                                 [feed] --Record-----------------------> journal

A disconnect is not a crash: the feed reconnects inside its life, re-subscribes, and says
RESUMED only when every subscription was proven by a first datum (R-24). Five attempts
spent end the life, and the circuit breaker takes over. However a life ends, readers are
told GAP; a restart forgets windows and books (they are loaded again over REST) and recalls
what is wanted from the demand.
"""

from __future__ import annotations

import trio

from actors.demand import Demand
from actors.fan_out import FanOut
from actors.feed_connection import FeedSettings, Surroundings
from actors.feed_loading import Loading
from actors.feed_pool import FeedPool
from actors.mailbox import Mailbox
from actors.messages import ClockStepped, FeedState, Link, Wanted
from actors.ports import Market, Random, VenueError
from actors.records import JournalWish

__all__ = ["FeedSettings", "run_feed"]


async def run_feed(
    mailbox: Mailbox[Wanted | ClockStepped],
    market: Market,
    journal: Mailbox[JournalWish],
    fan_out: FanOut,
    demand: Demand,
    *,
    settings: FeedSettings,
    random: Random,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve the demand until cancelled. Ready at once: never "connected".

    Raises:
      ExceptionGroup: of `AttemptsSpent`, when one disconnect has used them all.
    """
    for wanted in demand.current().values():
        fan_out.want(wanted)
    exchange = settings.exchange
    fan_out.announce(FeedState(exchange, Link.CONNECTING, trio.current_time()))
    around = Surroundings(mailbox, market, journal, fan_out, settings, random)
    try:
        async with trio.open_nursery() as nursery:
            pool = FeedPool(around, nursery)
            pool.demand_changed()
            nursery.start_soon(pool.run)
            nursery.start_soon(Loading(market, fan_out, pool, pool.begin_anew).run)
            task_status.started()
            while True:
                match await mailbox.receive():
                    case Wanted() as wanted:
                        fan_out.want(wanted)
                        pool.demand_changed()
                    case ClockStepped(reason=reason):
                        pool.drop(VenueError(reason))
    finally:
        _tell_ended(fan_out, exchange)


def _tell_ended(fan_out: FanOut, exchange: str) -> None:
    """Tell readers GAP when this life ends, until the next one has prices again."""
    fan_out.lost(fan_out.on_wire())
    now_s = trio.current_time()
    ended = FeedState(exchange, Link.GAP, now_s, reason="the feed has ended")
    with_prices = [
        subscription
        for subscription, route in fan_out.routes.items()
        if route.state is None or route.state.link is not Link.GAP
    ]
    fan_out.announce(ended, with_prices)
