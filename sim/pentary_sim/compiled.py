"""The compiled code of the model; results of its functions are those of Python, with int64 for int."""

from typing import Final

from pentary.support.compiled import Store, imported_sources

STORE: Final = Store("sim", "the model of the processor", imported_sources("pentary_sim.kernel"))

compiled: Final = STORE.compiled()
