"""Loops over characters that array operations would need many passes for, compiled to machine code on first use.

The machine code is kept beside the modules, or in the user's cache folder where those may not be written.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numba

Loop = TypeVar("Loop", bound=Callable[..., object])


def compiled(loop: Loop) -> Loop:
    """The same function as machine code; threads run it side by side. It makes no arrays: it fills those that it is given."""
    settings: dict[str, Any] = {"nogil": True, "_nrt": False}  # counting who holds an array takes longer than reading it
    try:
        made: Loop = numba.njit(loop, cache=True, **settings)
    except RuntimeError:  # no folder can be written
        made = numba.njit(loop, **settings)
    return made
