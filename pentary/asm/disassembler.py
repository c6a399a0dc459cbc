"""Disassembler: words to assembler text."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import pairwise

import numpy as np

from pentary.asm.vocabulary import NUMBERS
from pentary.isa.encoding import Decoded, IllegalInstruction, decode, operands
from pentary.isa.program import Program
from pentary.numbers.notation import format_pents


def disassemble_word(word: int, address: int | None = None, names: Mapping[int, str] | None = None) -> str:
    """Return the assembler text of one word.

    Args:
        word: an instruction, or any other word, which becomes `.word N`.
        address: of the word; without it, targets are written relative to `.`.
        names: labels by address, for targets.

    Returns:
        The text.

    >>> from pentary.isa import BY_NAME, encode
    >>> disassemble_word(encode(BY_NAME["ADDI"], d=3, a=1, i=-7))
    'ADDI  p3, p1, -7'
    >>> jump = encode(BY_NAME["JUMP"], i=-7)
    >>> disassemble_word(jump), disassemble_word(jump, 9), disassemble_word(jump, 9, {2: "loop"})
    ('JUMP  . - 7', 'JUMP  2', 'JUMP  loop')
    """
    decoded = _decode(word)
    return f".word {word}" if decoded is None else _written(decoded, address, names or {})


def _decode(word: int) -> Decoded | None:
    try:
        return decode(word)
    except IllegalInstruction:
        return None


def _written(decoded: Decoded, address: int | None, names: Mapping[int, str]) -> str:
    texts = {}
    for name, operand in operands(decoded.instruction):
        value = getattr(decoded, operand.field)
        if operand.kind == "target":
            texts[name] = _target(value, address, names)
        else:
            texts[name] = _REGISTERS[operand.kind][value] if operand.kind in _REGISTERS else str(value)
    listed = [
        "{}({})".format(*(texts[part] for part in operand[:-1].split("("))) if operand.endswith(")") else texts[operand]
        for operand in decoded.instruction.operands
    ]
    return f"{decoded.instruction.name:5} {', '.join(listed)}".rstrip()


def disassemble(program: Program) -> str:
    """Return assembler text that assembles to the same image and size as a program.

    Args:
        program: its labels are kept; a target in the text without a label gets one, L and its address.

    Returns:
        The text; a comment after each word shows its address and its pents.

    >>> print(disassemble(Program(np.array([1220703151, 42, 0, 0, 7]), 1, 9, {"answer": 1}, ("answer",))), end="")
        HALT                             ;       0  00+0000000000+0+
        .data
    answer:
        .word 42                         ;       1  0000000000000⊕⊖⊕
        .space 2                         ;       2  0000000000000000
        .word 7                          ;       4  00000000000000+⊕
        .space 4                         ;       5  0000000000000000
    """
    text = [_decode(word) for word in program.image[: program.text].tolist()]
    labels = _labels(program, text)
    names = {address: found[0] for address, found in labels.items()}
    image, pents = program.image.tolist(), format_pents(program.image).tolist()
    lines: list[str] = []

    def add(address: int, text: str) -> None:
        digits = pents[address] if address < len(pents) else format_pents(0)
        lines.extend(f"{label}:" for label in labels.get(address, []))
        lines.append(f"    {text:32} ; {address:7}  {digits}")

    for address, decoded in enumerate(text):
        add(address, f".word {image[address]}" if decoded is None else _written(decoded, address, names))
    if program.size > program.text:
        lines.append("    .data")
    for address, length in _runs(program, labels):
        add(address, f".space {length}" if length else f".word {image[address]}")
    lines.extend(f"{label}:" for label in labels.get(program.size, []))
    return "".join(f"{line}\n" for line in lines)


def _first_names(kind: str) -> dict[int, str]:
    """Return the preferred name of each register of a kind by number, such as p0 for `zero`."""
    numbers = reversed(NUMBERS[kind].items())
    return {number: name if kind in ("control", "csr") else name.lower() for name, number in numbers}


_REGISTERS = {kind: _first_names(kind) for kind in NUMBERS}


def _target(distance: int, address: int | None, names: Mapping[int, str]) -> str:
    if address is not None:
        return names.get(address + distance, str(address + distance))
    return f". {'-' if distance < 0 else '+'} {abs(distance)}" if distance else "."


def _labels(program: Program, text: Iterable[Decoded | None]) -> dict[int, list[str]]:
    """Return the labels by address: those of the program, and generated ones for targets in the text without any."""
    labels: dict[int, list[str]] = {}
    for label in program.labels:
        labels.setdefault(program.symbols[label], []).append(label)
    for address, decoded in enumerate(text):
        target = _target_of(decoded, address)
        if target is not None and 0 <= target < program.text and target not in labels:
            name = f"L{target}"
            while name in program.labels:
                name += "_"
            labels[target] = [name]
    return labels


def _target_of(decoded: Decoded | None, address: int) -> int | None:
    if decoded is None:
        return None
    has_target = any(operand.kind == "target" for _, operand in operands(decoded.instruction))
    return address + decoded.i if has_target else None


def _runs(program: Program, labels: Collection[int]) -> Iterator[tuple[int, int]]:
    """Yield (address, length) of each run of zeros between labels in the data, and (address, 0) of each other word.

    A zero that ends the image counts as another word, since `.space` at the end is not stored in the image.
    """
    words = set((np.flatnonzero(program.image[program.text :]) + program.text).tolist())
    if program.image.size > program.text:
        words.add(program.image.size - 1)
    cuts = {program.text, program.size, *words, *(word + 1 for word in words), *labels}
    for start, end in pairwise(sorted(cut for cut in cuts if program.text <= cut <= program.size)):
        yield start, 0 if start in words else end - start
