"""Chunks read and worked on by a few threads; results come in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

#: Chunks in memory at a time: more than two cores can work on, since each has moments that only one core can help with.
AT_ONCE = max(4, min(8, os.cpu_count() or 2))


def worked(items: Iterable[T], work: Callable[[T], R], at_once: int = AT_ONCE) -> Iterator[R]:
    """What ``work`` makes of each item, in order, with so many items in work at the same time."""
    with ThreadPoolExecutor(at_once) as pool:
        waiting: deque[Future[R]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                del item  # nothing here keeps a chunk alive that its worker has finished with
                if len(waiting) == at_once:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
