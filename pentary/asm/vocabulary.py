"""Names of the assembler beyond those of the instruction table: registers, functions, pseudo-instructions."""

from typing import Final, NamedTuple

from pentary.isa.system import CSRS
from pentary.isa.table import BY_NAME, CONTROLS, FITNESS, REGISTER_ALIASES, REGISTERS, VECTORS

NUMBERS: Final[dict[str, dict[str, int]]] = {
    "register": {f"P{n}": n for n in range(REGISTERS)} | {name.upper(): n for name, n in REGISTER_ALIASES.items()},
    "vector": {f"V{n}": n for n in range(VECTORS)},
    "fitness": {f"F{n}": n for n in range(FITNESS)},
    "control": {name: n for n, name in enumerate(CONTROLS)},
    "csr": {name: n for n, name in enumerate(CSRS)},
}
"""Register names of each kind, in capitals, with their numbers."""

EXPECTED: Final = {
    "register": f"a register p0..p{REGISTERS - 1}, zero, fp, sp or lr",
    "vector": f"a vector register v0..v{VECTORS - 1}",
    "fitness": f"a fitness accumulator f0..f{FITNESS - 1}",
    "control": f"a control register {', '.join(CONTROLS)}",
    "csr": "a control and status register",
}

RESERVED: Final = {name for kind in ("register", "vector", "fitness") for name in NUMBERS[kind]}
"""Register names, in capitals; no symbol may have one.

Control registers are not among them: only LRSET, CSRR and CSRW name them.
"""

FUNCTIONS: Final = {"limit": 1, "isqrt": 1, "min": 2, "max": 2}
"""Functions in expressions, with their numbers of arguments."""


class Pseudo(NamedTuple):
    """A pseudo-instruction: its operands, the instruction it stands for, and its operands there, by name or literal."""

    operands: tuple[str, ...]
    instruction: str
    given: tuple[str, ...]


PSEUDO: Final = {
    "LA": Pseudo(("rd", "i"), "LI", ("rd", "i")),
    "MV": Pseudo(("rd", "rs"), "ADDI", ("rd", "rs", "0")),
    "INC": Pseudo(("rd",), "ADDI", ("rd", "rd", "1")),
    "DEC": Pseudo(("rd",), "ADDI", ("rd", "rd", "-1")),
    "BZ": Pseudo(("rs", "j7"), "BEQ", ("rs", "zero", "j7")),
    "BNZ": Pseudo(("rs", "j7"), "BNE", ("rs", "zero", "j7")),
}
"""Pseudo-instructions by mnemonic. LI or LA of a constant wider than LI's immediate becomes two words, LI and ADDHI."""

MNEMONICS: Final = {*BY_NAME, *PSEUDO}
