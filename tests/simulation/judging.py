"""Let every judge that needs only a ledger read it, once a run is over."""

from __future__ import annotations

from collections import Counter

from actors.messages import Halted
from actors.pure.facts import decode
from tests.simulation.bars import Bars
from tests.simulation.cap_rules import CapRules
from tests.simulation.chain import chain_violations
from tests.simulation.disk import Disk
from tests.simulation.inspection import secrets_in_rows
from tests.simulation.ledger_rules import LedgerRules, money_of
from tests.simulation.position_rules import PositionRules
from tests.simulation.process import Machine


def ledger_violations(machine: Machine, account: str) -> list[str]:
    """Return what the ledger of a machine shows to be wrong."""
    rows = machine.disk.rows
    money = money_of(machine.config, account)
    return [
        *LedgerRules(money, machine.decided, machine.sent).read(rows),
        *row_violations(machine, machine.disk, account),
        *secrets_in_rows(rows),
    ]


def row_violations(machine: Machine, disk: Disk, account: str) -> list[str]:
    """Return what one ledger shows to be wrong, whoever its owner is."""
    rows, durable_s, sent = disk.rows, disk.durable_s, machine.sent
    risk = machine.config.accounts[account].risk
    return [
        *chain_violations(rows, machine.clock.steps),
        *Bars(sent).read(rows, durable_s),
        *CapRules(risk, sent).read(rows, durable_s),
        *PositionRules.of(machine.config).read(rows),
    ]


def halts(disk: Disk) -> Counter[str]:
    """Return how often something was halted, by what was reached."""
    counts: Counter[str] = Counter()
    for each in disk.rows:
        if each.row.kind == "halted":
            fact = decode(each.row.kind, each.row.body)
            assert isinstance(fact, Halted)
            counts[f"halts by {fact.code}"] += 1
    return counts
