"""The kind of value that names symbols at exchanges: what a bot reads besides its own."""

from __future__ import annotations

import re
from typing import cast

import attrs

from actors.messages import Pair
from actors.pure.config_kinds import refuse
from actors.pure.config_problems import Place, describe

PAIRS_MAX = 50


@attrs.frozen
class Pairs:
    """An array of pairs, none twice."""

    pattern: str
    words: str = 'an array of symbols at exchanges, each as "EXCHANGE:BASE/QUOTE"'
    stand_in: tuple[Pair, ...] = ()

    def read(self, raw: object, place: Place) -> tuple[Pair, ...]:
        if not isinstance(raw, list):
            refuse(self, raw, place)
            return ()
        items = cast("list[object]", raw)
        if len(items) > PAIRS_MAX:
            place.refuse(f"must be at most {PAIRS_MAX}, not {len(items)}")
        found: list[Pair] = []
        for number, item in enumerate(items):
            if not isinstance(item, str) or not re.fullmatch(self.pattern, item):
                text = f'must be as "EXCHANGE:BASE/QUOTE", not {describe(item)}'
                place.at(number).refuse(text)
                continue
            pair = Pair(*item.split(":"))
            if pair in found:
                place.at(number).refuse(f"{pair} is there already")
            found.append(pair)
        return tuple(found)
