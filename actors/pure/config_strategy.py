"""Judge a bot's strategy and its params by the strategy's own rules. Pure.

A strategy of the user's own (`module:Class`) is loaded and judged when the fleet starts:
loading code is nothing a check of a file should do (S-11).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

import attrs

from actors.pure.config_problems import Place
from actors.pure.config_read import refuse_unknown
from actors.pure.config_types import BotConfig
from actors.pure.nearest import did_you_mean
from actors.pure.strategies import BUILT_IN, BadStrategy, build


def judge_strategy(bot: BotConfig, place: Place) -> None:
    """Report an unknown strategy, and every param that it has not or does not take."""
    if not (bot.strategy and place.is_clean("strategy")) or ":" in bot.strategy:
        return
    if bot.strategy not in BUILT_IN:
        near = did_you_mean(bot.strategy, BUILT_IN)
        place.at("strategy").refuse(f'unknown strategy "{bot.strategy}"{near}')
        return
    if not place.is_clean("params"):
        return
    _judge_params(bot.strategy, bot.params, place.at("params"))
    if place.is_clean("params"):
        try:
            build(BUILT_IN[bot.strategy], bot.params)
        except BadStrategy as error:
            place.at("params").refuse(_plain(str(error)))


def _judge_params(strategy: str, params: Mapping[str, object], place: Place) -> None:
    fields = {
        field.alias or field.name: field
        for field in attrs.fields(cast("type[attrs.AttrsInstance]", BUILT_IN[strategy]))
        if field.init
    }
    refuse_unknown(params, fields, place)
    for name, field in fields.items():
        if name not in params or field.validator is None:
            continue
        try:
            field.validator(None, field, params[name])
        except (TypeError, ValueError) as error:
            place.at(name).refuse(_plain(str(error)))


def _plain(text: str) -> str:
    """Return the first line of an error, with numbers as people write them."""
    return re.sub(r"Decimal\('([^']*)'\)", r"\1", text.partition("\n")[0])[:200]
