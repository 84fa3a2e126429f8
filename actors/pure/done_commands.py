"""Remember what was carried out under which key, and answer it again. Pure."""

from __future__ import annotations

import attrs

from actors.messages.board import Asked
from actors.messages.operator_facts import Commanded
from actors.pure.commands import NotPossible


@attrs.frozen
class Done:
    """A command and its answer."""

    verb: str
    subject: str
    said: str

    @classmethod
    def of(cls, fact: Commanded) -> Done:
        return cls(fact.verb, fact.subject, fact.said)

    def again(self, asked: Asked) -> str:
        """Return what was answered, to the same command under the same key.

        Raises:
          NotPossible: it is another command, which must not be taken for done.
        """
        if asked.verb != self.verb or not self._is_about(asked.subject):
            raise NotPossible(
                f'key {asked.key} was used for "{self.verb} {self.subject}": nothing was'
                f" done; type {asked.verb} under another key"
            )
        return self.said

    def _is_about(self, subject: str) -> bool:
        """Tell whether it was about this, which may have more than one name."""
        if self.verb == "settle":  # an order may be named by its end
            ending = subject.removeprefix("\N{HORIZONTAL ELLIPSIS}")
            return bool(ending) and self.subject.endswith(ending)
        before, name = self.subject.rpartition(":"), subject.rpartition(":")
        is_one_kind = before[0] == name[0] or not before[0] or not name[0]
        return is_one_kind and before[2] == name[2]
