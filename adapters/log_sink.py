"""Where log lines go: a thread that writes them, so that no reader can stop the fleet.

any thread --line--> [log thread] --> stdout

A terminal that does not read (a paused pager, a full pipe) makes lines wait in a bounded
queue; beyond it the oldest are dropped, and the next line that gets through says how many.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Final, Protocol

LINES_MAX: Final = 10_000
GOODBYE_S: Final = 1.0


class TextStream(Protocol):
    def write(self, text: str, /) -> object: ...
    def flush(self) -> object: ...


class LogSink:
    """Takes lines without waiting; `close` gives the last ones a moment to get out."""

    def __init__(self, stream: TextStream, *, lines_max: int = LINES_MAX) -> None:
        self._stream = stream
        self._lines: deque[str] = deque()
        self._lines_max = lines_max
        self._state = threading.Condition()
        self._is_closing = False
        self.dropped = 0  # since the last line that said so
        self._thread = threading.Thread(target=self._serve, name="log", daemon=True)
        self._thread.start()

    def write(self, text: str, /) -> None:
        """Take a line; the oldest makes room when nobody reads."""
        with self._state:
            if len(self._lines) >= self._lines_max:
                self._lines.popleft()
                self.dropped += 1
            self._lines.append(text)
            self._state.notify()

    def close(self) -> None:
        """Write what is left, as long as the stream takes it within GOODBYE_S."""
        with self._state:
            self._is_closing = True
            self._state.notify()
        self._thread.join(GOODBYE_S)

    def _serve(self) -> None:
        while text := self._next():
            try:
                self._stream.write(text)
                self._stream.flush()
            except (BrokenPipeError, ValueError):
                return  # the reader went away: nobody to complain to
            except OSError:  # a full disk: the next line says what is missing
                with self._state:
                    self.dropped += text.count("\n")

    def _next(self) -> str:
        """Return all that waits, "" at the end."""
        with self._state:
            while not self._lines and not self._is_closing:
                self._state.wait()
            text = "".join(self._lines)
            self._lines.clear()
            if self.dropped:
                said = f"… {self.dropped} lines of the log were dropped: not written\n"
                text = said + text
                self.dropped = 0
            return text
