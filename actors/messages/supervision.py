"""What the supervisor says: the states of an actor and the steps between them."""

from __future__ import annotations

from enum import Enum

import attrs


class State(Enum):
    """Where an actor stands with its supervisor."""

    STARTING = "STARTING"  # its body runs and is not ready yet
    RUNNING = "RUNNING"
    BACKOFF = "BACKOFF"  # crashed; starts again after a short wait
    OPEN = "OPEN"  # crashed too often; the circuit is open
    HALF_OPEN = "HALF_OPEN"  # the one start after an open circuit, not ready yet
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"  # on purpose, or not started yet
    FAILED = "FAILED"  # the policy is exhausted


class Event(Enum):
    """What happened to an actor."""

    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"  # this life ended; `new` says what follows
    HEALTHY = "healthy"  # the count of failures went back to nothing
    STOPPING = "stopping"
    STOPPED = "stopped"
    FINISHED = "finished"  # an actor that may return did
    OVERRAN = "overran"  # told to end, and did not within its deadline
    ESCALATED = "escalated"


@attrs.frozen
class Transition:
    """One step of one actor, as the supervision log tells it."""

    at_s: float  # monotonic
    path: str
    incarnation: int  # 1 is the first life
    event: Event
    old: State
    new: State
    error: str  # the chain, as one line; empty when nothing failed
    consecutive: int  # failures in a row
    delay_s: float | None  # until the next start
    uptime_s: float  # since ready, or since the start of a life that never was ready
    mailbox_depth: int
    next: str  # what is done next; may be empty


@attrs.frozen
class ActorState:
    """What an operator is told of one actor."""

    path: str
    state: State
    consecutive: int
    incarnation: int
    uptime_s: float  # 0 when not alive
    error: str  # the last one; empty when there was none
    next_try_s: float | None  # from now
    depth: int
    taken: int
    replaced: int
    completed: int
