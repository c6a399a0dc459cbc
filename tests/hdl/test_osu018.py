"""Area and delay in standard cells, against the library's own figures."""

import re
import shutil

import pytest
from amaranth import Module, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hardware import osu018
from pentary.numbers.word import PentaryError

installed = pytest.mark.skipif(
    not osu018.LIBRARY.exists() or shutil.which("sta") is None, reason="needs qflow-tech-osu018 and opensta of Debian"
)


class Adder(wiring.Component):
    """Adder with or without an output register."""

    def __init__(self, bits: int, registered: bool) -> None:
        """Create an adder of the given width."""
        self._registered = registered
        super().__init__({"a": In(signed(bits)), "b": In(signed(bits)), "sum": Out(signed(bits))})

    def elaborate(self, platform: object) -> Module:
        """Build the adder."""
        m = Module()
        m.d["sync" if self._registered else "comb"] += self.sum.eq(self.a + self.b)
        return m


def area_in_library(cell: str) -> float:
    found = re.search(rf"^cell \({cell}\) {{.*?\barea : (\S+);", osu018.LIBRARY.read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None
    return float(found[1])


@installed
def test_registers_have_the_area_of_the_library():
    without, registered = (osu018.cells(Adder(8, registered)) for registered in (False, True))
    assert without.register_area == 0
    assert registered.register_area == 8 * area_in_library("DFFPOSX1")
    assert registered.area > registered.register_area


@installed
def test_a_wider_sum_is_larger_and_slower():
    narrow, wide = (osu018.cells(Adder(bits, False)) for bits in (4, 24))
    assert wide.area > 5 * narrow.area
    # A flip-flop and each gate have a delay of at least 0.1 ns.
    assert 0.3 < narrow.delay < wide.delay < 10


def test_a_missing_library_is_told_in_a_line(monkeypatch, tmp_path):
    monkeypatch.setattr(osu018, "LIBRARY", tmp_path / "osu018_stdcells.lib")
    with pytest.raises(PentaryError, match="apt install qflow-tech-osu018"):
        osu018.cells(None)


@installed
def test_a_missing_analyser_is_told_in_a_line(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(PentaryError, match="apt install opensta"):
        osu018.cells(None)
