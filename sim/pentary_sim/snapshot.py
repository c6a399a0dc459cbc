"""A machine whose whole state can be saved as arrays, and taken over by another one with the same program."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pentary.numbers.word import PentaryError
from pentary_sim.layout import CACHE, STATE
from pentary_sim.simulator import Simulator

_PAGE: Final = 2**15
"""Bytes of memory or caches that are saved together, if one of them is not 0."""

_LAYOUT: Final = np.frombuffer(sha256(repr((STATE.descr, CACHE.descr)).encode()).digest(), np.uint8)
"""Digest of what the bytes of a state mean."""


class SavedMachine(Simulator):
    """A `Simulator` without a trace that can be saved between two instructions."""

    def save(self) -> dict[str, NDArray[Any]]:
        """Return copies of all that the machine is: registers, units, counters, caches and memory."""
        state = self._state
        parts = {"machine": state.machine.view(np.uint8).copy(), "layout": _LAYOUT.copy()}
        return parts | _pages("caches", state.caches.view(np.uint8)) | _pages("memory", state.memory.view(np.uint8))

    def take_over(self, saved: Mapping[str, NDArray[Any]]) -> None:
        """Become what was saved.

        Args:
            saved: result of `save`, of a machine with the same program and configuration.

        Raises:
            PentaryError: it is of another release's model, or of another machine; this one is unchanged.
        """
        state = self._state
        memory, caches = np.zeros_like(state.memory), np.zeros_like(state.caches)
        try:
            if not np.array_equal(saved["layout"], _LAYOUT):
                raise PentaryError("the machine was saved by another release")
            _fill(memory.view(np.uint8), "memory", saved)
            _fill(caches.view(np.uint8), "caches", saved)
            (machine,) = saved["machine"].view(STATE)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            if isinstance(error, PentaryError):
                raise
            raise PentaryError("what was saved is another machine") from error
        text = self.program.text
        if not np.array_equal(memory[:text], state.memory[:text]):
            raise PentaryError("the machine was saved with another program")
        state.machine[0], state.caches[:], state.memory[:] = machine, caches, memory


def _pages(name: str, content: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
    """Return those pages of a content that are not all 0, one behind the other, and their numbers."""
    whole = len(content) // _PAGE * _PAGE
    pages = content[:whole].reshape(-1, _PAGE)
    used = np.flatnonzero(pages.view(np.int64).any(axis=1))
    return {f"{name}.pages": used, name: np.concatenate([pages[used].reshape(-1), content[whole:]])}


def _fill(content: NDArray[np.uint8], name: str, saved: Mapping[str, NDArray[Any]]) -> None:
    """Write pages to a content that is all 0."""
    used, given = saved[f"{name}.pages"], saved[name]
    whole, most = len(content) // _PAGE * _PAGE, len(used) * _PAGE
    content[:whole].reshape(-1, _PAGE)[used] = given[:most].reshape(-1, _PAGE)
    content[whole:] = given[most:]
