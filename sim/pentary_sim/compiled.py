"""Decorator that compiles the model's functions; they compute what Python does, with int64 in place of int."""

from typing import Final

from pentary.support.compiled import Store, imported_sources

STORE: Final = Store("sim", "the model of the processor", imported_sources("pentary_sim.kernel"))

compiled: Final = STORE.compiled(_nrt=False, error_model="numpy", forceinline=True)
"""No arrays are made, so no references are counted, which took a seventh of the time. Calls took half of it."""
