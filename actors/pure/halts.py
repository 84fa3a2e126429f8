"""Keep the halts that stand: durable states that the order gate looks at first. Pure.

Whoever computed why is not asked again: a halt ends when its time is over or when an
operator lifts it, whatever prices, counts and the code that judges them say (R-37, R-40).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import attrs

from actors.messages import Halted, HaltLifted

OPERATOR = "operator"

Place = tuple[str, str, str]  # account, bot ("" is all of it), code


@attrs.define
class Halts:
    """The fold of halts: the newest of each place."""

    _told: dict[Place, Halted] = attrs.Factory(dict[Place, Halted])

    def apply(self, fact: object) -> None:
        """Take one fact."""
        match fact:
            case Halted():
                self._told[fact.account, fact.bot, fact.code] = fact
            case HaltLifted():
                self._told.pop((fact.account, fact.bot, fact.code), None)
            case _:
                pass

    def standing(self, now_ms: int) -> Iterator[Halted]:
        """Return the halts that are not over, oldest first."""
        return (
            halted
            for halted in self._told.values()
            if not halted.until_ms or now_ms < halted.until_ms
        )

    def of(self, account: str, bot: str, now_ms: int) -> tuple[Halted, ...]:
        """Return the halts of exactly this bot, or with bot "" of the whole account."""
        return tuple(
            halted
            for halted in self.standing(now_ms)
            if (halted.account, halted.bot) == (account, bot)
        )

    def of_accounts(self, accounts: Collection[str]) -> Halts:
        """Return the halts of these accounts and of their bots."""
        told = self._told.items()
        return Halts({place: each for place, each in told if place[0] in accounts})

    def bar(self, account: str, bot: str, now_ms: int) -> tuple[str, str] | None:
        """Return the code and the reason that forbid an entry of this bot, or None."""
        for halted in self.standing(now_ms):
            if halted.account == account and halted.bot in {"", bot}:
                return "halted", halt_words(halted)
        return None


def halt_words(halted: Halted) -> str:
    """Return "daily_loss until 00:00 UTC: …"."""
    until = "it is resumed"
    if halted.until_ms:
        minutes = halted.until_ms // 60_000 % 1_440
        until = f"{minutes // 60:02}:{minutes % 60:02} UTC"
    why = f": {halted.reason}" if halted.reason else ""
    who = "by an operator" if halted.code == OPERATOR else halted.code
    return f"{who} until {until}{why}"
