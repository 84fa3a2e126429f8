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
        is_same = asked.subject in {"", self.subject} or self.subject.endswith(
            asked.subject
        )
        if asked.verb != self.verb or not is_same:  # orders may be named by their end
            raise NotPossible(
                f'key {asked.key} was used for "{self.verb} {self.subject}": nothing was'
                f" done; type {asked.verb} under another key"
            )
        return self.said
