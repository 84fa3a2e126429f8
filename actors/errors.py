"""The ways in which an actor's life ends, and the one that no restart can mend."""

from __future__ import annotations

from typing import cast


class BrokenInvariant(Exception):
    """Something that must always hold does not. Never restarted, always escalated."""


class ActorReturned(Exception):
    """A permanent actor came back without crashing."""


class NotReady(Exception):
    """An actor did not call `task_status.started()` before its deadline."""


class NoProgress(Exception):
    """An actor's own work was due and did not move for too long."""


class MailboxOverfull(Exception):
    """An actor read its facts too slowly; its next life recalls them."""


class CrashInjected(Exception):
    """An operator or a test ended this life on purpose."""


class NobodyLeft(BrokenInvariant):
    """All groups that keep their failures to themselves have failed for good."""


class Escalated(Exception):
    """A supervisor stopped its children because one of them could not be kept alive.

    `error` is what that child died of, `path` says which one it was.
    """

    def __init__(self, path: str, error: Exception) -> None:
        super().__init__(f"{path} could not be kept alive")
        self.path = path
        self.error = error


def is_beyond_restart(error: BaseException) -> bool:
    """Tell whether a broken invariant is in `error`, its group or its escalation."""
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        return any(is_beyond_restart(each) for each in group.exceptions)
    if isinstance(error, Escalated):
        return is_beyond_restart(error.error)
    return isinstance(error, BrokenInvariant)


def is_from_below(error: BaseException) -> bool:
    """Tell whether a supervisor gave up, or an invariant broke: nothing more to try."""
    return isinstance(error, Escalated) or is_beyond_restart(error)


def nobody_left(path: str, error: Exception) -> NobodyLeft:
    """Return what the failure of the last group comes to."""
    left = NobodyLeft(f"{path} was the last that could trade")
    left.__cause__ = error
    return left


def leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    """Return the errors in a group, and in the groups in it."""
    found: list[BaseException] = []
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            found += leaves(cast("BaseExceptionGroup[BaseException]", error))
        else:
            found.append(error)
    return found
