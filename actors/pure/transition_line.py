"""Tell a transition to people, as one line of the supervision log."""

from __future__ import annotations

from datetime import UTC, datetime

from actors.messages.supervision import Event, State, Transition
from actors.pure.breaker import Policy

NAME_WIDTH = 18  # "catalogue:coinbase", the longest that everybody has


def transition_line(transition: Transition, at_ms: int) -> str:
    """Return the whole line: time of day in UTC, actor, what happened, what is next."""
    at = datetime.fromtimestamp(at_ms / 1000, tz=UTC)
    clock = f"{at:%H:%M:%S}.{at_ms % 1000:03d}"
    name = transition.path.rsplit("/", 1)[-1]
    return f"{clock}  {name:<{NAME_WIDTH}}  {transition_words(transition)}"


def transition_words(transition: Transition) -> str:
    """Return what happened and what is next, without time and actor."""
    return " · ".join(filter(None, (_happened(transition), transition.next)))


def next_step(
    state: State, policy: Policy, delay_s: float | None, *, while_down: str = ""
) -> str:
    """Return what the supervisor does after a failure, in words.

    `while_down` says what the actor's absence means: "its position stays guarded".
    """
    match state:
        case State.BACKOFF:
            return f"starts again in {delay_s or 0:.2f} s"
        case State.OPEN:
            step = f"one try in {delay_s or 0:.0f} s"
        case State.FAILED:
            step = {
                "stop": "stopped until an operator starts it",
                "retry": f"one try every {policy.reset_s:.0f} s",
                "escalate": "escalates",
            }[policy.on_exhausted]
        case _:
            return ""
    return f"{step} · {while_down}" if while_down else step


def _happened(transition: Transition) -> str:
    match transition.event:
        case Event.STARTING:
            return "one try" if transition.new is State.HALF_OPEN else "starting"
        case Event.READY:
            life = transition.incarnation
            return "ready" if life == 1 else f"running again, life {life}"
        case Event.HEALTHY:
            return f"healthy for {transition.uptime_s:.0f} s: failures forgotten"
        case Event.OVERRAN:
            waited_s = transition.delay_s or 0
            return f"told to end and still there after {waited_s:.0f} s"
        case Event.FAILED | Event.ESCALATED:
            return _failed(transition)
        case Event.STOPPING | Event.STOPPED | Event.FINISHED:
            words, error = transition.event.value, transition.error
            return f"{words}, with an error: {error}" if error else words


def _failed(transition: Transition) -> str:
    error, number = transition.error, transition.consecutive
    count = "1 failure" if number == 1 else f"{number} failures"
    if transition.event is Event.ESCALATED:
        return f"escalates: {count} in a row, last {error}"
    match transition.new:
        case State.OPEN:
            return f"circuit open: {count} in a row, last {error}"
        case State.FAILED:
            return f"failed: {count} in a row, last {error}"
        case _:
            return f"crashed after {transition.uptime_s:.1f} s: {error} · {count} in a row"
