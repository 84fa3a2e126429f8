"""Ask for one thing at a time, and for what is refused ever more slowly. Pure."""

from __future__ import annotations

from math import inf

import attrs

from actors.messages import ExitIntent

ANSWER_S = 2.0  # after a wish may be sent, until one not heard of is asked for again


@attrs.define
class Asking:
    """What was asked for and not heard of, and when it may be asked for again."""

    retry_s_max: float
    free_tries: int = 0  # that are followed by another at once
    asked_s: float = -inf
    _intent_id: str = ""
    _until_s: float = -inf
    _tries: int = 0  # in a row that led to nothing
    _retry_s: float = -inf

    def asked(self, intent: ExitIntent, now_s: float) -> None:
        """Remember the wish that is on its way."""
        self._intent_id, self._until_s = intent.intent_id, intent.valid_until_s
        self._tries += 1
        number = self._tries - self.free_tries
        wait_s = 2.0 ** (number - 1) if number > 0 else 0.0
        self.asked_s, self._retry_s = now_s, now_s + min(self.retry_s_max, wait_s)

    def answered(self, intent_id: str) -> bool:
        """Take an answer; tell whether it is the one to our wish."""
        is_ours = bool(intent_id) and intent_id == self._intent_id
        if is_ours:
            self._intent_id = ""
        return is_ours

    def begin_anew(self) -> None:
        """Forget how long to wait: it led to something, or what barred it is gone."""
        self._tries, self._retry_s = 0, -inf

    def is_under_way(self, now_s: float) -> bool:
        """Tell whether a wish is not heard of and may still be sent."""
        return bool(self._intent_id) and now_s <= self._until_s + ANSWER_S

    def may_ask(self, now_s: float) -> bool:
        """Tell whether it is time to ask."""
        return not self.is_under_way(now_s) and now_s >= self._retry_s
