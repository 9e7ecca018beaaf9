"""Work done ahead in a thread of its own, so that reading, understanding and storing overlap on two cores."""

import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from queue import Queue
from threading import Thread
from typing import TypeVar

Item = TypeVar("Item")

TURN_S = 0.0005
"""How long a thread that only computes in Python keeps the others from their next step; the interpreter's own 5 ms would add up
to seconds, because each of the many short steps that run outside of it begins and ends with such a wait."""

DEPTH = 1  # items made before anybody asks for them: what bounds the memory


@contextmanager
def short_turns() -> Iterator[None]:
    """Meanwhile threads take turns every `TURN_S`."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(TURN_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The same items, made while the one before is being used. What making them raises is raised here.

    Stops making them when the consumer stops.
    """
    queue: Queue[tuple[bool, Item | None, BaseException | None]] = Queue(maxsize=DEPTH)
    stopped = False

    def make() -> None:
        try:
            for item in items:
                queue.put((True, item, None))
                if stopped:
                    return
            queue.put((False, None, None))
        except BaseException as error:  # noqa: BLE001 - handed to the consumer, who raises it
            queue.put((False, None, error))
        finally:
            if isinstance(items, Generator):
                items.close()  # here, so that what it holds open ends with this thread

    maker = Thread(target=make, name="huitou-ahead", daemon=True)
    maker.start()
    try:
        while True:
            more, item, error = queue.get()
            if error is not None:
                raise error
            if not more:
                return
            yield item  # type: ignore[misc]  # an item whenever there are more
    finally:
        stopped = True
        while maker.is_alive():
            while not queue.empty():
                queue.get_nowait()
            maker.join(0.05)
