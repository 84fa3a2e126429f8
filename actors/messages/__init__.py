"""Every word that crosses a channel: frozen, typed, complete, with its units."""

from __future__ import annotations

from actors.messages.board import *  # noqa: F403 -- the vocabulary is one namespace
from actors.messages.facts import *  # noqa: F403 -- the same
from actors.messages.instruments import *  # noqa: F403 -- the same
from actors.messages.ledger import *  # noqa: F403 -- the same
from actors.messages.legs import *  # noqa: F403 -- the same
from actors.messages.market import *  # noqa: F403 -- the same
from actors.messages.operator_facts import *  # noqa: F403 -- the same
from actors.messages.orders import *  # noqa: F403 -- the same
from actors.messages.trade_facts import *  # noqa: F403 -- the same
