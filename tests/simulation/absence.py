"""A bot that `bots.toml` does not name for a while, or names with another symbol."""

from __future__ import annotations

import attrs

from actors.pure.config import BotConfig, Config


@attrs.frozen
class Absence:
    """Who is away; "" is nobody."""

    bot: str = ""
    is_moved: bool = False  # to another symbol of the run, where there is one

    def of(self, config: Config) -> Config:
        """Return what a process finds that starts meanwhile."""
        symbols = sorted({bot.symbol for bot in config.bots})
        bots: list[BotConfig] = []
        for bot in config.bots:
            others = [each for each in symbols if each != bot.symbol]
            if bot.name != self.bot:
                bots.append(bot)
            elif self.is_moved and others:
                bots.append(attrs.evolve(bot, symbol=others[0]))
        return attrs.evolve(config, bots=tuple(bots))
