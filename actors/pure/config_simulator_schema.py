"""Every key of `[simulator]`: what it may be and what it means."""

from __future__ import annotations

from actors.pure.config_kinds import Number, NumberBy, Text, Whole, members
from actors.pure.config_read import Key, Table, Tables
from actors.pure.config_schema import MONEY, RATIO, SECONDS_OR_0, SYMBOL_PATTERN, seconds
from actors.pure.config_simulator import (
    CrashConfig,
    Fault,
    FaultConfig,
    PhaseConfig,
    SimulatorConfig,
)

_OR_ALL = Text(SYMBOL_PATTERN, "a symbol as BASE/QUOTE, in capitals")

PHASE = Table(
    PhaseConfig,
    {
        "at_s": seconds("When it begins.", SECONDS_OR_0),
        "symbol": Key(_OR_ALL, "Whose price moves so.", default_words="all"),
        "drift_percent_per_minute": Key(
            Number("-100", "100", "a percentage", is_least_allowed=True),
            "How the price moves on the whole.",
            "% per minute",
        ),
        "volatility_percent": Key(
            Number("0", "10", "a percentage", is_least_allowed=True),
            "Standard deviation of the price over one second.",
            "%",
        ),
    },
)

FAULT = Table(
    FaultConfig,
    {
        "at_s": seconds("When it begins.", SECONDS_OR_0),
        "kind": Key(members(Fault), "What goes wrong."),
        "for_s": seconds("How long; 0 is once.", SECONDS_OR_0),
        "chance": Key(RATIO, "Of each frame, request or connection meanwhile."),
        "amount_ms": Key(
            Whole(-86_400_000, 86_400_000), "Lateness of an ack; skew of a clock.", "ms"
        ),
        "symbol": Key(_OR_ALL, "Whose data it hits.", default_words="all"),
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

SIMULATOR = Table(
    SimulatorConfig,
    {
        "seed": Key(Whole(0, 2**32 - 1), "The same seed makes the same market."),
        "ticker_ms": Key(Whole(10, 60_000), "Time between ticker frames.", "ms"),
        "fee_percent": Key(
            Number("0", "10", "a percentage", is_least_allowed=True), "Of each fill.", "%"
        ),
        "prices": Key(
            NumberBy(SYMBOL_PATTERN, "a symbol as BASE/QUOTE", MONEY),
            "The symbols that it trades, and their first prices.",
            "quote per base",
        ),
        "balances": Key(
            NumberBy(
                r"[A-Z0-9]{1,20}",
                "an asset, in capitals",
                Number("0", "1000000000000", is_least_allowed=True),
            ),
            "What each account owns at first.",
        ),
        "phases": Key(Tables(PHASE), "How the market moves, and from when on."),
        "faults": Key(Tables(FAULT), "What goes wrong at the exchange, and when."),
        "crash": Key(Tables(CRASH), "Which of our actors crash, and when."),
    },
)
