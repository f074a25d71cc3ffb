"""A port for a server of the tests."""

import random
import socket


def free_port() -> int:
    """Below those that the system gives to outgoing connections, so that a server can come back to it."""
    while True:
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port := random.randrange(20_000, 32_000)))
            except OSError:
                continue
            return port
