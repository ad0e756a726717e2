"""News over a network: a thread that carries one piece after another, and waits longer after each failure."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence

from auditor.watch.news import News

QUEUE = 256
"""Pieces of news that wait in memory; more wait in the journal."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 300.0
"""Seconds between two tries; each wait is twice the one before."""
_LAST_WAIT = 3.0
"""Seconds that the end of a watch waits for what is under way."""


class Undeliverable(Exception):
    """The receiver will never take this piece; the next one may do better."""


class CourierOutlet(ABC):
    """An outlet whose ``carry`` may take its time: it runs in a thread of its own and never holds up the watch.

    ``carry(news)`` raises OSError where it is worth trying again, Undeliverable where it is not. What has not arrived when
    the watch ends is carried by the next one, from the journal.
    """

    def __init__(self, name: str, *, first_wait: float = FIRST_WAIT) -> None:
        self.name, self.trouble = name, ""
        self.failures = 0
        self._first_wait = first_wait
        self._queue: deque[News] = deque()
        self._arrived: int | None = None
        self._wake = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name=f"auditor {name}", daemon=True)

    @abstractmethod
    def carry(self, news: News) -> None:
        """Bring one piece of news to the receiver."""

    def let_go(self) -> None:  # noqa: B027 - most couriers hold nothing open
        """Close what is open; called in the thread of the courier."""

    def begin(self, last: int) -> int | None:
        """Start the thread; a receiver does not tell what it has."""
        del last
        self._thread.start()
        return None

    def room(self) -> int:
        """Return what fits the queue."""
        return QUEUE - len(self._queue)

    def offer(self, news: Sequence[News]) -> int:
        """Put news into the queue."""
        with self._wake:
            self._queue.extend(news)
            self._wake.notify()
        return len(news)

    def delivered(self) -> int | None:
        """Return the latest number that the receiver has taken."""
        return self._arrived

    def close(self) -> None:
        """Give the thread a moment for what is in the queue."""
        until = time.monotonic() + _LAST_WAIT
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join(max(0.0, until - time.monotonic()))

    def _work(self) -> None:
        wait = self._first_wait
        while True:
            with self._wake:
                while not self._queue and not self._closing:
                    self._wake.wait()
                if not self._queue:
                    break
                news = self._queue[0]
            try:
                self.carry(news)
            except OSError as error:
                self.failures += 1
                self.trouble = f"cannot deliver, will try again: {error.strerror or error}"
                self.let_go()
                if self._closing:
                    break
                self._pause(wait)
                wait = min(2 * wait, LONGEST_WAIT)
                continue
            except Undeliverable as error:
                self.failures += 1
                self.trouble = f"number {news.number} was refused and is left out: {error}"
            else:
                wait, self.trouble = self._first_wait, ""
            with self._wake:
                self._queue.popleft()
                self._arrived = news.number
        self.let_go()

    def _pause(self, seconds: float) -> None:
        """Wait, but for no longer than the watch goes on."""
        until = time.monotonic() + seconds
        with self._wake:
            while not self._closing and time.monotonic() < until:
                self._wake.wait(max(0.0, until - time.monotonic()))
