"""What one bot decides: when it asks its strategy, and what becomes of the answer. Pure.

Each evaluation ends in one outcome: an order id, a HOLD with reasons, or a refusal with a
code. Outcomes are shown every time and recorded when they change, with a count of how
often the one before was repeated: the ledger of why not.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

import attrs

from actors.messages import (
    Attempted,
    Candles,
    Evaluated,
    ExitIntent,
    Fact,
    FeedState,
    Instrument,
    Link,
    OrderIntent,
    Outcome,
    PriceUpdated,
    Refused,
    Signal,
    SignalType,
    Ticker,
)
from actors.pure.bot_extras import Extras
from actors.pure.bot_others import Others
from actors.pure.bot_sight import Bar, BotSight
from actors.pure.bot_wishes import BotSettings, entry_intent, exit_intent
from actors.pure.client_order_id import IntentIds
from actors.pure.market_view import Cause, Strategy
from actors.pure.money import ZERO
from actors.pure.owed_sale import FINAL, OwedSale
from actors.pure.signals import BadSignal, checked
from actors.pure.why_not import WhyNot

ANSWER_S = 10.0  # after `valid_until_s`, in which an intent must be answered

Wish = OrderIntent | ExitIntent


@attrs.frozen
class Decision:
    """What is to be done now: show, send, record."""

    shown: Evaluated
    wish: Wish | None = None
    facts: tuple[Fact, ...] = ()


@attrs.define(eq=False)
class BotDesk:
    """The state of one life of one bot; ten thousand of them must stay small."""

    settings: BotSettings
    instruments: Mapping[str, Instrument]  # the catalogue's: it may learn ours later
    strategy: Strategy
    ids: IntentIds
    due_s: float  # of the next timed evaluation
    sight: BotSight = attrs.field(init=False)
    why_not: WhyNot = attrs.field(init=False)
    _sent: Wish | None = None  # not answered yet
    _owed: OwedSale | None = None  # decided, and not begun
    _quiet_until_s: float = -inf  # after a refusal
    _quiet_why: Bar = ("refused", "")
    _sampled_s: float = -inf  # when a price was last recorded

    def __attrs_post_init__(self) -> None:
        self.sight = BotSight(self.settings)
        reads, age_s_max = self.settings.reads, self.settings.price_age_s_max
        self.sight.others = Others.of(reads, age_s_max)
        self.sight.extras = Extras.of(self.settings)
        self.why_not = WhyNot(self.settings)

    def price(self, ticker: Ticker, now_s: float) -> Decision | None:
        """Take a price; evaluate when each price, or the first one, asks for it."""
        every = self.settings.evaluate_s
        if self.sight.is_own(ticker):
            if not self.sight.renew(ticker):
                return None
            if (again := self._again(ticker, now_s)) is not None:
                return again
        elif every != "tick" or self.sight.ticker is None:
            return None
        if every == "tick":
            return self.evaluate(Cause.TICK, now_s)
        is_first = every != "candle" and not self.why_not.number
        if is_first and len(self.sight.window) >= self.strategy.candles_min:
            return self.evaluate(Cause.TIMER, now_s)
        return None

    def candles(self, candles: Candles, now_s: float) -> Decision | None:
        """Take candles; closed ones of the own market may ask, if they are still known."""
        if self.sight.take_extra(candles, now_s) or not self.sight.is_own(candles):
            return None
        self.sight.window, self.sight.running = candles.window, candles.running
        if candles.closed and candles.window and self.settings.evaluate_s == "candle":
            return self.evaluate(Cause.CANDLE, now_s)
        return None

    def feed_state(self, feed: FeedState, now_s: float) -> Decision | None:
        """Take a feed's word on its prices; a gap of the own one is shown at once."""
        if self.sight.others is not None:
            self.sight.others.hear(feed)
        if feed.exchange != self.settings.exchange:
            return None
        is_own = not feed.symbols or self.settings.symbol in feed.symbols
        link = feed.link if is_own else Link.RESUMED
        self.sight.feed = feed if is_own else attrs.evolve(feed, link=link)
        if self.sight.extras is not None:
            self.sight.extras.hear(link, now_s)
        if link is Link.RESUMED:
            return None
        self.sight.ticker = None  # what comes after the gap is judged, not what was before
        code, reason = self.sight.bar(now_s) or ("no_price", "no price")
        return Decision(self._show(Outcome.REFUSED, None, now_s, code, (reason,)))

    def fact(self, fact: Fact, now_s: float) -> Decision | None:
        """Take a fact; the answer to what was sent is this evaluation's outcome."""
        self.sight.remember(fact)
        if self.sight.is_idle:
            self._owed = None  # an operator's word goes first
        sent, signal = self._sent, self._last_signal()
        if sent is None:
            return None
        if isinstance(fact, Attempted) and fact.intent_id == sent.intent_id:
            self._sent = None
            if isinstance(sent, ExitIntent):
                self._owed = None
            order_id = fact.client_order_id
            shown = self._show(Outcome.ORDERED, signal, now_s, order_id=order_id)
            return Decision(shown)
        if isinstance(fact, Refused) and fact.intent_id == sent.intent_id:
            self._be_quiet((fact.code, "; ".join(fact.reasons)), now_s)
            if isinstance(sent, ExitIntent) and fact.code in FINAL:
                self._owed = None
            shown = self._show(Outcome.REFUSED, signal, now_s, fact.code, fact.reasons)
            return Decision(shown)  # whoever refused has recorded it
        return None

    def sample(self, now_s: float) -> PriceUpdated | None:
        """Return the price to be recorded now, if it is time for one."""
        ticker = self.sight.ticker
        if ticker is None or now_s - self._sampled_s < self.settings.price_every_s:
            return None
        self._sampled_s = now_s
        return PriceUpdated(
            self.settings.name,
            ticker.symbol,
            ticker.last,
            ticker.bid,
            ticker.ask,
            ticker.volume_base,
            ticker.exchange_ms,
            ticker.exchange,
        )

    def evaluate(self, cause: Cause, now_s: float) -> Decision:
        """Ask the strategy, unless something forbids it, and say what became of it.

        Raises:
          BadSignal: the strategy returned something that is no signal.
        """
        self.why_not.number += 1
        if not isinstance(self.settings.evaluate_s, str):
            self.due_s = now_s + self.settings.evaluate_s
        bar, ticker = self.sight.bar(now_s), self.sight.ticker
        if bar is not None or ticker is None:
            return self._refuse(None, bar or ("no_price", "no price"), now_s)
        signal = self._signal(cause, ticker, now_s)
        if signal.type is SignalType.HOLD:
            reasons = signal.reasons + self._at_work(now_s)
            shown = self._show(Outcome.HOLD, signal, now_s, reasons=reasons)
            return Decision(shown, None, self._signalled(signal, now_s))
        if signal.type is SignalType.BUY:
            return self._buy(signal, ticker, now_s)
        return self._sell(signal, ticker, now_s)

    def _signal(self, cause: Cause, ticker: Ticker, now_s: float) -> Signal:
        strategy = self.settings.strategy
        try:
            answer = self.strategy.evaluate(self.sight.view(cause, ticker, now_s))
        except SystemExit as error:  # it may end itself, not the program
            raise BadSignal(f"{strategy} called exit({error.code!r})") from error
        return checked(answer, strategy)

    def unsent(self, bar: Bar, now_s: float) -> Decision:
        """Say that the wish just decided on could not be delivered."""
        self._be_quiet(bar, now_s)
        return self._refuse(self._last_signal(), bar, now_s)

    def _buy(self, signal: Signal, ticker: Ticker, now_s: float) -> Decision:
        settings, self._owed = self.settings, None
        bar = self.sight.bar_to_entry() or self._unanswered(now_s)
        if bar is not None:
            return self._refuse(signal, bar, now_s)
        if now_s < self._quiet_until_s:
            return self._refuse(signal, self._quiet_why, now_s)
        instrument = self.instruments.get(settings.symbol)
        if instrument is None:
            text = f"{settings.exchange} does not list {settings.symbol}"
            return self._refuse(signal, ("not_trading", text), now_s)
        intent = entry_intent(settings, instrument, self.ids.next(), signal, ticker, now_s)
        if intent.base <= 0:
            text = f"{settings.position_percent} % of {settings.capital} buys no lot"
            return self._refuse(signal, ("below_minimum", text), now_s)
        return self._send(intent, signal, now_s)

    def _sell(self, signal: Signal, ticker: Ticker, now_s: float) -> Decision:
        waiting = self._unanswered(now_s)
        bar = self.sight.bar_to_exit() or waiting
        if bar is not None:
            is_final = bar[0] in FINAL and not (waiting or self.sight.is_buying)
            self._owed = None if is_final else OwedSale.decided(signal, now_s)
            return self._refuse(signal, bar, now_s)
        self._owed = OwedSale.decided(signal, now_s)
        return self._send(self._exit(ticker, now_s), signal, now_s)

    def _exit(self, ticker: Ticker, now_s: float) -> ExitIntent:
        settings, holding = self.settings, self.sight.holding
        return exit_intent(settings, holding, self.ids.next(), ticker, now_s)

    def _again(self, ticker: Ticker, now_s: float) -> Decision | None:
        """Try a sale once more that could not begin; its signal was told before."""
        sale = self._owed
        if sale is None or now_s < sale.due_s or self._unanswered(now_s) is not None:
            return None
        if not (self.sight.holding.is_open or self.sight.is_buying):
            self._owed = None
            return None
        if self.sight.bar(now_s) is not None or self.sight.bar_to_exit() is not None:
            return None  # no price to trust, or another exit is at it
        sale.tried(now_s)
        decision = self._send(self._exit(ticker, now_s), sale.signal, now_s)
        return attrs.evolve(decision, facts=())

    def _send(self, wish: Wish, signal: Signal, now_s: float) -> Decision:
        self._sent = wish
        shown = self._show(Outcome.SENT, signal, now_s, reasons=(wish.intent_id,))
        return Decision(shown, wish, self._signalled(signal, now_s))

    def _unanswered(self, now_s: float) -> Bar | None:
        """Return the wish that waits for an answer; so long, and no longer."""
        if self._sent is None:
            return None
        if now_s > self._sent.valid_until_s + ANSWER_S:
            self._sent = None
            return None
        return "order_in_flight", f"{self._sent.intent_id} is not answered yet"

    def _at_work(self, now_s: float) -> tuple[str, ...]:
        live = [order for order in self.sight.live if not order.is_at_rest]
        if not live and self._sent is None:
            return ()
        waiting = self._unanswered(now_s)
        return (
            *(f"order {order.client_order_id} is {order.status.value}" for order in live),
            *((waiting[1],) if waiting else ()),
        )

    def _be_quiet(self, why: Bar, now_s: float) -> None:
        self._sent, self._quiet_why = None, why
        self._quiet_until_s = now_s + self.settings.refused_wait_s

    def _refuse(self, signal: Signal | None, bar: Bar, now_s: float) -> Decision:
        """Refuse by ourselves; the first of a row is recorded."""
        code, reason = bar
        shown = self._show(Outcome.REFUSED, signal, now_s, code, (reason,))
        facts = self._signalled(signal, now_s) if signal else ()
        if not shown.repeated:
            facts = (*facts, self.why_not.refused(shown, self.ids.next()))
        return Decision(shown, None, facts)

    def _show(
        self,
        outcome: Outcome,
        signal: Signal | None,
        now_s: float,
        code: str = "",
        reasons: tuple[str, ...] = (),
        order_id: str = "",
    ) -> Evaluated:
        ticker = self.sight.ticker
        price = ticker.last if ticker else ZERO
        return self.why_not.show(
            outcome, signal, price, now_s, code=code, reasons=reasons, order_id=order_id
        )

    def _signalled(self, signal: Signal, now_s: float) -> tuple[Fact, ...]:
        ticker = self.sight.ticker
        return self.why_not.signalled(signal, ticker, now_s) if ticker else ()

    def _last_signal(self) -> Signal | None:
        return self.why_not.last.signal if self.why_not.last else None
