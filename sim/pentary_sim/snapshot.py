"""A machine whose whole state can be saved as arrays, and taken over by another one with the same program."""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pentary.isa.table import STACK
from pentary.numbers.word import PentaryError
from pentary_sim.layout import CACHE, STATE
from pentary_sim.simulator import Simulator

_LAYOUT: Final = np.frombuffer(sha256(repr((STATE.descr, CACHE.descr)).encode()).digest(), np.uint8)
"""Digest of what the bytes of a state mean."""

_COUNTERS: Final = ("clock", "last_line", "last_place")
"""Fields of a cache that are single numbers, beside its size."""

_ENTRIES: Final = ("lines", "used", "dirty")
"""Fields of a cache with a number for each way of each set, in arrays for the largest cache that there is."""


class SavedMachine(Simulator):
    """A `Simulator` without a trace that can be saved between two instructions."""

    def save(self) -> dict[str, NDArray[Any]]:
        """Return copies of all that the machine is: registers, units, counters, caches, and memory.

        Of the memory it is what the program takes, and its stack.
        """
        state = self._state
        return {
            "layout": _LAYOUT.copy(),
            "machine": state.machine.view(np.uint8).copy(),
            "caches": np.concatenate([part.astype(np.int64) for part in self._caches()]),
            "memory": state.memory[: self.program.size].copy(),
            "stack": state.memory[self._stack() :].copy(),
        }

    def take_over(self, saved: Mapping[str, NDArray[Any]]) -> None:
        """Restore a saved state into this machine, which has not run since its reset.

        Args:
            saved: result of `save`, of a machine with the same program and configuration.

        Raises:
            PentaryError: it is of another release's model, or of another machine; this one is unchanged.
        """
        state, program = self._state, self.program
        try:
            if not np.array_equal(saved["layout"], _LAYOUT):
                raise PentaryError("the machine was saved by another release")
            (machine,) = saved["machine"].view(STATE)
            caches, memory, stack = saved["caches"], saved["memory"], saved["stack"]
            sizes = [part.size for part in self._caches()]
            if len(memory) != program.size or len(stack) > len(state.memory) or len(caches) != sum(sizes):
                raise ValueError("another size")
            if not np.array_equal(memory[: program.text], state.memory[: program.text]):
                raise PentaryError("the machine was saved with another program")
        except (KeyError, ValueError, TypeError) as error:
            if isinstance(error, PentaryError):
                raise
            raise PentaryError("what was saved is another machine") from error
        state.machine[0] = machine
        for part, own in zip(self._caches(), np.split(caches, np.cumsum(sizes)[:-1]), strict=True):
            part[:] = own
        state.memory[len(state.memory) - len(stack) :] = stack
        state.memory[: program.size] = memory

    def _caches(self) -> Iterator[NDArray[Any]]:
        """Yield the parts of the caches that are in use, to be read or written."""
        for number, cache in enumerate(self._state.caches):
            for name in _COUNTERS:
                yield self._state.caches[name][number : number + 1]
            for name in _ENTRIES:
                yield cache[name][: cache["sets"] * cache["ways"]]

    def _stack(self) -> int:
        """Return the first address of the stack."""
        return min(max(0, int(self.registers[STACK])), len(self._state.memory))
