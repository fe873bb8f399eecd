"""A server that is as slow as it is told to be."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Answer = Callable[[socket.socket], None]


@contextmanager
def answering_slowly(answer: Answer) -> Iterator[int]:
    """Does with each connection as told, in a thread of its own, until the client hangs up; yields its port."""
    listening = socket.create_server(("127.0.0.1", 0))
    open_ones: list[socket.socket] = []

    def converse(connection: socket.socket) -> None:
        with suppress(OSError):
            answer(connection)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                open_ones.append(connection)
                threading.Thread(target=converse, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield int(listening.getsockname()[1])
    finally:
        listening.close()
        for connection in open_ones:
            connection.close()
