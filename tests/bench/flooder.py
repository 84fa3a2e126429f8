"""A venue's market-data socket that does nothing but write: frames rendered before.

    python -m tests.bench.flooder '{"kind": "binance", "symbols": 50, "frames_per_s": 0}'

A thread for each connection writes as fast as the client takes it, or paced, once it was
asked for anything; another answers. Prints the port.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from contextlib import suppress

import attrs
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Ping, Request, TextMessage

from tests.bench.flood_frames import Flood, flood_of, stamped

CHUNK_FRAMES = 160  # about 64 KiB
PACED_S = 0.001


@attrs.frozen
class Wanted:
    kind: str = "binance"
    symbols: int = 50
    frames_per_s: float = 0.0  # of all symbols together; 0: flat out


@attrs.define(eq=False)
class Connection:
    """One client."""

    peer: socket.socket
    flood: Flood
    frames_per_s: float
    protocol: WSConnection = attrs.Factory(lambda: WSConnection(ConnectionType.SERVER))
    turn: threading.Lock = attrs.Factory(threading.Lock)
    is_asked: threading.Event = attrs.Factory(threading.Event)

    def serve(self) -> None:
        threading.Thread(target=self._write, daemon=True).start()
        with suppress(OSError), self.peer:
            while data := self.peer.recv(65536):
                self.protocol.receive_data(data)
                for event in self.protocol.events():
                    self._hear(event)

    def _hear(self, event: object) -> None:
        if isinstance(event, Request):
            self._say(self.protocol.send(AcceptConnection()))
            if "streams=" in event.target:  # some ask in the address
                self.is_asked.set()
        elif isinstance(event, (Ping, CloseConnection)):
            self._say(self.protocol.send(event.response()))
        elif isinstance(event, TextMessage):
            for text in self.flood.answers(json.loads(event.data)):
                self._say(self.protocol.send(TextMessage(text)))
            self.is_asked.set()

    def _say(self, data: bytes) -> None:
        with self.turn:
            self.peer.sendall(data)

    def _write(self) -> None:
        rate, frames = self.frames_per_s, self.flood.frames
        size = max(1, int(rate * PACED_S)) if rate else CHUNK_FRAMES
        parts = [frames[at : at + size] for at in range(0, len(frames), size)]
        chunks = [(len(part), b"".join(part)) for part in parts]
        self.is_asked.wait()
        due_s, number = time.monotonic(), 0
        with suppress(OSError):
            while True:
                count, chunk = chunks[number % len(chunks)]
                self._say(stamped(chunk, time.monotonic_ns() // 1000))
                number += 1
                if rate:
                    due_s = max(due_s + count / rate, time.monotonic() - 1.0)
                    time.sleep(max(0.0, due_s - time.monotonic()))


def main() -> None:
    wanted = Wanted(**json.loads(sys.argv[1]))
    flood = flood_of(wanted.kind, wanted.symbols)
    listening = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    while True:
        peer, _ = listening.accept()
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(peer, flood, wanted.frames_per_s)
        threading.Thread(target=connection.serve, daemon=True).start()


if __name__ == "__main__":
    main()
