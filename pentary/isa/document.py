"""Generator of the instruction set reference, `architecture/isa.md`: prose from `isa.md.in`, the rest from the code.

`python -m pentary.isa.document` writes the file anew.
"""

from math import prod
from pathlib import Path
from string import Template
from typing import Final

from pentary.isa.encoding import LAYOUTS, OPCODE, OPERANDS, operands
from pentary.isa.system import CAUSES, CSRS, DEVICES, TEXT, WRITABLE
from pentary.isa.table import (
    ACCUMULATOR,
    CONTROL_RESET,
    CONTROLS,
    FITNESS,
    HIGH_SHIFT,
    INSTRUCTIONS,
    MAX_VL,
    OPERAND,
    REGISTER_ALIASES,
    REGISTERS,
    TOTAL,
    VECTORS,
)
from pentary.lowrank.operations import MAX_RANK
from pentary.numbers.word import PENTS, WORD_MAX, limit

PATH: Final = Path(__file__).parents[2] / "architecture" / "isa.md"
_TEMPLATE: Final = Path(__file__).with_name("isa.md.in")
_CELL: Final = 4  # characters that a pent takes in a drawing


def document() -> str:
    """Return the text of the reference."""
    counts = {
        "instructions": len(INSTRUCTIONS),
        "pents": PENTS,
        "acc_pents": ACCUMULATOR,
        "registers": REGISTERS,
        "vectors": VECTORS,
        "fitness": FITNESS,
        "max_vl": MAX_VL,
        "max_rank": MAX_RANK,
        "operand": OPERAND,
        "total": TOTAL,
        "high_shift": HIGH_SHIFT,
    }
    widths = {field.width for layout in LAYOUTS.values() for field in (OPCODE, *layout.values())}
    groups = {line.group for line in INSTRUCTIONS}
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        counts,
        **{f"last_{name}": count - 1 for name, count in counts.items()},
        **{f"number_{alias}": number for alias, number in REGISTER_ALIASES.items()},
        **{f"reach_{form}": f"{limit(layout['i'].width):,}" for form, layout in LAYOUTS.items() if "i" in layout},
        **{f"operand_{name}": _operand(name) for name in OPERANDS},
        **{f"control_{name}": _control(name) for name in CONTROLS},
        **{f"table_{group}": _table(group) for group in groups},
        **{f"cause_{name.replace(' ', '_')}": number for name, number in CAUSES.items()},
        csrs="\n".join(_csr(name) for name in CSRS),
        csr_writable=WRITABLE,
        devices="\n".join(
            f"| `{name}` | {device.address} | {device.access} | {device.meaning} |" for name, device in DEVICES.items()
        ),
        word_max=f"{WORD_MAX:,}",
        layouts=_layouts(),
        widths=", ".join(f"{width} pents hold ±{limit(width):,}" for width in sorted(widths)),
        words=f"{_instruction_words():,}",
        accessing=", ".join(line.name for line in INSTRUCTIONS if "M[" in line.semantics),
        dividing=", ".join(line.name for line in INSTRUCTIONS if "divide fault" in line.semantics),
        checking=", ".join(line.name for line in INSTRUCTIONS if "operand fault" in line.semantics),
        overflowing=", ".join(line.name for line in INSTRUCTIONS if "V" in line.flags),
    )


def _operand(name: str) -> str:
    """Return the first cells of an operand's row: name, field, values."""
    taking = [line for line in INSTRUCTIONS if name in dict(operands(line))]
    forms = {line.format: dict(operands(line))[name] for line in taking}
    fields = {form: operand.field for form, operand in forms.items()}
    values = {form: _range(operand.low or 0, operand.high or 0) for form, operand in forms.items()}
    return f"`{name}` | {_by_format(fields)} | {_by_format(values)}"


def _by_format(texts: dict[str, str]) -> str:
    if len(set(texts.values())) == 1:
        return next(iter(texts.values()))
    return ", ".join(f"{text} in {form}" for form, text in texts.items())


def _control(name: str) -> str:
    """Return the first cells of a control register's row: number, name, values, reset value."""
    return f"{list(CONTROLS).index(name)} | `{name}` | {_range(*CONTROLS[name])} | {CONTROL_RESET[name]}"


def _csr(name: str) -> str:
    """Return the row of a control and status register: number, name, values that CSRW takes, reset value, meaning."""
    number, csr = list(CSRS).index(name), CSRS[name]
    values = "" if number >= WRITABLE else "0 .. text - 1" if csr.high == TEXT else _range(csr.low, csr.high)
    return f"| {number} | `{name}` | {values} | {csr.reset} | {csr.meaning} |"


def _range(low: int, high: int) -> str:
    return f"±{high:,}" if low == -high else f"{low:,} .. {high:,}"


def _table(group: str) -> str:
    """Draw the table of a group. Semantics come last, so that the other columns can be aligned in the source."""
    lines = [line for line in INSTRUCTIONS if line.group == group]
    rows = [["assembly", "flags", "unit", "occupancy", "latency", "word"], [""] * 6]
    for line in lines:
        assembly = f"{line.name:7} {', '.join(line.operands)}".rstrip()
        function = f" {line.function}" if "function" in LAYOUTS[line.format] else ""
        code = f"{line.format} {line.opcode}{function}"
        rows.append([f"`{assembly}`", line.flags, line.unit, line.occupancy, line.latency, code])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows[1] = ["-" * width for width in widths]
    last = ["does", "----", *(line.semantics for line in lines)]
    aligned = (" | ".join(map(str.ljust, row, widths)) for row in rows)
    return "\n".join(f"| {row} | {semantics} |" for row, semantics in zip(aligned, last, strict=True))


def _layouts() -> str:
    """Draw the instruction formats, pent by pent."""
    drawing = ["    pent " + "".join(f"{pent:3} " for pent in reversed(range(PENTS))).rstrip()]
    above: set[int] = set()
    for form, layout in LAYOUTS.items():
        fields = {"opcode": OPCODE, **layout}
        edges = {(PENTS - field.lowest) * _CELL for field in fields.values()} | {0}
        boxes = "".join(name.center(field.width * _CELL - 1) + "|" for name, field in fields.items())
        drawing += [_rule(above | edges), f"    {form}    |{boxes}"]
        above = edges
    return "\n".join([*drawing, _rule(above)])


def _rule(edges: set[int]) -> str:
    return " " * 9 + "".join("+" if place in edges else "-" for place in range(PENTS * _CELL + 1))


def _instruction_words() -> int:
    """Return the number of words that encode an instruction."""
    ranges = ([(operand.low or 0, operand.high or 0) for _, operand in operands(line)] for line in INSTRUCTIONS)
    return sum(prod(high - low + 1 for low, high in operand_ranges) for operand_ranges in ranges)


if __name__ == "__main__":
    PATH.write_text(document(), encoding="utf-8")
