"""Every key of `[simulator]`: what it may be and what it means."""

from __future__ import annotations

from actors.pure.config_endpoints import ENDPOINTS
from actors.pure.config_kinds import Choice, Number, NumberBy, Text, Whole
from actors.pure.config_read import Key, Table, Tables, TablesBy
from actors.pure.config_schema import MONEY, SECONDS_OR_0, SYMBOL_PATTERN, seconds
from actors.pure.config_simulator import (
    CONNECTIONS,
    FAULTS,
    CrashConfig,
    FaultConfig,
    MarketConfig,
    PhaseConfig,
    SimulatorConfig,
)

_EXCHANGE = Key(
    Choice(tuple(ENDPOINTS)), "Which simulated exchange it is.", default_words="all"
)
_OR_ALL = Text(SYMBOL_PATTERN, "a symbol as BASE/QUOTE, in capitals")

PHASE = Table(
    PhaseConfig,
    {
        "at_s": seconds("When it begins.", SECONDS_OR_0),
        "duration_s": seconds("How long it takes."),
        "percent": Key(
            Number("-99", "1000", "a percentage", is_least_allowed=True),
            "How far the price moves in that time, besides its random walk.",
            "%",
        ),
        "symbol": Key(_OR_ALL, "Whose price moves so.", default_words="all"),
        "exchange": _EXCHANGE,
    },
)

FAULT = Table(
    FaultConfig,
    {
        "kind": Key(
            Choice(tuple(FAULTS)),
            "What goes wrong: "
            + "; ".join(f"`{name}`: {words}" for name, words in FAULTS.items())
            + ".",
        ),
        "at_s": seconds("When it begins.", SECONDS_OR_0),
        "every_s": seconds("It begins again each so often; 0 is never.", SECONDS_OR_0),
        "after_orders": Key(
            Whole(0, 1_000_000), "It begins when so many orders were taken; 0 is never."
        ),
        "duration_s": seconds("How long it lasts."),
        "times": Key(Whole(0, 1_000_000), "It ends after so many strikes; 0 is never."),
        "symbol": Key(_OR_ALL, "Whose data or orders it strikes.", default_words="all"),
        "exchange": _EXCHANGE,
        "connection": Key(Choice(CONNECTIONS), "What it strikes.", default_words="all"),
        "delay_s": seconds(
            "The delay of `late_ack`, `server_shutdown`, `late_orders` and `late_fills`.",
            SECONDS_OR_0,
        ),
        "skew_ms": Key(
            Whole(-86_400_000, 86_400_000), "How far `clock_skew` sets it ahead.", "ms"
        ),
    },
)

CRASH = Table(
    CrashConfig,
    {
        "at_s": seconds("When it crashes.", SECONDS_OR_0),
        "actor": Key(
            Text(r"[a-z0-9:/_-]{1,100}", "the name of an actor, like bot:btc-scalper"),
            "Which of our own actors crashes.",
        ),
    },
)

_FEE = Number("0", "10", "a percentage", is_least_allowed=True)
_PRICES = NumberBy(SYMBOL_PATTERN, "a symbol as BASE/QUOTE", MONEY)
_BALANCES = NumberBy(
    r"[A-Z0-9]{1,20}",
    "an asset, in capitals",
    Number("0", "1000000000000", is_least_allowed=True),
)
_AS_FOR_ALL = "as in `[simulator]`"

MARKET = Table(
    MarketConfig,
    {
        "prices": Key(
            _PRICES, "The symbols that it trades.", "quote per base", _AS_FOR_ALL
        ),
        "balances": Key(_BALANCES, "What each account owns at first.", "", _AS_FOR_ALL),
        "fee_percent": Key(_FEE, "Of each fill.", "%", _AS_FOR_ALL),
    },
)

SIMULATOR = Table(
    SimulatorConfig,
    {
        "seed": Key(Whole(0, 2**32 - 1), "The same seed makes the same market."),
        "ticks_per_s": Key(
            Number("0", "1000", is_float=True), "Steps of the market in a second."
        ),
        "ticker_ms": Key(
            Whole(0, 60_000), "Time between tickers; 0 is one with every step.", "ms"
        ),
        "fee_percent": Key(_FEE, "Of each fill.", "%"),
        "prices": Key(
            _PRICES,
            "The symbols that it trades, and their first prices.",
            "quote per base",
        ),
        "balances": Key(_BALANCES, "What each account owns at first."),
        "phases": Key(Tables(PHASE), "How the market moves, and from when on."),
        "phases_every_s": seconds(
            "They begin again each so often; 0 is never.", SECONDS_OR_0
        ),
        "faults": Key(Tables(FAULT), "What goes wrong at the exchange, and when."),
        "exchanges": Key(
            TablesBy(tuple(ENDPOINTS), MARKET),
            "What one of them has of its own, in `[simulator.exchanges.NAME]`.",
            default_words="nothing",
        ),
        "crash": Key(Tables(CRASH), "Which of our actors crash, and when."),
    },
)
