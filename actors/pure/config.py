"""Judge `bots.toml`: hand out a good config, or every problem with its line (S-12).

Pure. `adapters.config_file` reads the file; `shoal check` prints the answer.
"""

from __future__ import annotations

from actors.pure.config_fleet import read_fleet, read_state
from actors.pure.config_problems import Place, Problem, Problems
from actors.pure.config_rules import judge
from actors.pure.config_simulator import (
    CrashConfig,
    FaultConfig,
    PhaseConfig,
    SimulatorConfig,
)
from actors.pure.config_summary import summary
from actors.pure.config_syntax import decode, parse
from actors.pure.config_types import (
    AccountConfig,
    BotConfig,
    Config,
    ExchangeConfig,
    JournalConfig,
    Mode,
    RiskConfig,
    SilenceConfig,
    SupervisionConfig,
)

__all__ = [
    "AccountConfig",
    "BotConfig",
    "Config",
    "CrashConfig",
    "ExchangeConfig",
    "FaultConfig",
    "JournalConfig",
    "Mode",
    "PhaseConfig",
    "Problem",
    "Problems",
    "RiskConfig",
    "SilenceConfig",
    "SimulatorConfig",
    "SupervisionConfig",
    "load",
    "load_bytes",
    "state_of",
    "summary",
]


def load_bytes(data: bytes, file_name: str) -> Config | Problems:
    """Return the config in the bytes of a file, or everything that is wrong with it."""
    text = decode(data, file_name)
    return text if isinstance(text, Problems) else load(text, file_name)


def load(text: str, file_name: str) -> Config | Problems:
    """Return the config in a text, or everything that is wrong with it."""
    parsed = parse(text, file_name)
    if isinstance(parsed, Problems):
        return parsed
    values, report = parsed
    if not values:
        return Problems((Problem(file_name, None, "", "empty: add [[bots]] to run"),))
    root = Place(report)
    config = read_fleet(values, root)
    judge(config, root)
    problems = report.problems()
    return problems if problems.problems else config


def state_of(data: bytes, file_name: str) -> str | Problems:
    """Return the state folder that a file names, whatever else is wrong with it."""
    text = decode(data, file_name)
    parsed = text if isinstance(text, Problems) else parse(text, file_name)
    if isinstance(parsed, Problems):
        return parsed
    values, report = parsed
    state = read_state(values, Place(report))
    problems = report.problems()
    return problems if problems.problems else state
