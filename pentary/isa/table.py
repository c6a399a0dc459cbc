"""The instruction table: one line an instruction, and the machine's fixed sizes.

Semantics are written for a reader; `pentary.interpreter` is the definition that runs. In them

    rd rs rt ru   scalar registers: written, and read (named by the field that holds their number)
    vd vs vt vu   vector registers, of MAX_VL words; j runs over the elements that the line names, all others become 0
    sd ss         control and status registers, see `pentary.isa.system`
    i j7 j10 k w  immediates: a number, branch and jump targets, a shift, a width in pents
    wrap, sat     keep the low 16 pents; replace what does not fit by the nearest word. sat_w: the same for w pents
    round         to the nearest integer, which a pent shift does exactly; it never ties
    M F S A B X   memory, fitness accumulators, the low-rank unit's row sums and factors, the crossbar
    VL            active vector length; ROWS COLS RANK WIDTH KEY GAIN: the low-rank unit's control registers

Occupancy is how many cycles an instruction keeps its unit, latency how many pass from its start until another may take
the result. Both are sums of these terms, with lanes L:

    v   ceil(VL / L)          rn  RANK * ceil(COLS / L)                      rm  RANK * ceil(ROWS / L)
    d   log2(L)               b   beats of a row of COLS elements, L / 4 in each: ceil(4 COLS / L)
    p   cycles for a generator word: ceil(8 / rounds a cycle) + 1
    g   cycles for the factors of a pair, which are q = RANK * (ceil(ROWS/16) + ceil(COLS/16)) generator words, drawn by
        G = L/16 generators at a time and stored one a cycle: (k - 1) * (the greater of p and G) + p + c - 1, where
        k = ceil(q / G) is how often they draw, and c = q - (k - 1) * G how many words they draw the last time
    wv  w * v                 x   beats in which the vector is moved, more where lines miss
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from pentary.lowrank.operations import GAIN_SHIFT, MAX_RANK, TOTAL_WIDTH
from pentary.numbers.word import PENTS

REGISTERS: Final = 32
REGISTER_ALIASES: Final = {"zero": 0, "fp": 29, "sp": 30, "lr": 31}
FRAME, STACK, LINK = 29, 30, 31

CALLS: Final = ("CALL", "CALLR")
"""Instructions that call a subroutine, which RET leaves."""

VECTORS: Final = 8
MAX_VL: Final = 256
"""Words in a vector register; also rows and columns of the crossbar, and of the low-rank unit's factors."""

FITNESS: Final = 4
"""Fitness accumulators, each a word."""

ACCUMULATOR: Final = 32
"""Pents of ACC."""

OPERAND: Final = 8
"""Pents of the second factor in products, of latent words and of POPAVG's totals; what is wider saturates."""

ACTIVATION: Final = 4
"""Pents of what the low-rank unit projects; what is wider saturates."""

TOTAL: Final = 12
"""Pents of the totals that LRACC adds to; what is wider saturates."""

HIGH_SHIFT: Final = 10
"""Pents below the immediate of ADDHI: LI gives the low ten pents of a constant, ADDHI the others."""

CONTROLS: Final = {
    "ROWS": (1, MAX_VL),
    "COLS": (1, MAX_VL),
    "RANK": (1, MAX_RANK),
    "WIDTH": (2, 8),
    "KEY": (-76_293_945_312, 76_293_945_312),
    "GAIN": (-15_258_789_062, 15_258_789_062),
}
"""Control registers of the low-rank unit, in the order of their numbers, with the values each takes."""

LOWRANK_HARDWARE: Final[dict[str, Sequence[int]]] = {
    "lanes": (16, 64, 256),
    "max_rank": range(1, MAX_RANK + 1),
    "max_size": range(PENTS, MAX_VL + 1, PENTS),
    "rounds_per_cycle": (1, 2, 4, 8),
}
"""Parameters of a low-rank unit in hardware, with the values that each takes.

lanes: multiply-accumulates in a cycle; max_rank, max_size: the greatest RANK, ROWS and COLS; rounds_per_cycle: of each
generator.
"""

CONTROL_RESET: Final = {"ROWS": 1, "COLS": 1, "RANK": 1, "WIDTH": 6, "KEY": 0, "GAIN": 0}

Unit = Literal["scalar", "multiplier", "divider", "memory", "vector", "crossbar", "lowrank"]
Format = Literal["R", "W", "I", "J"]


@dataclass(frozen=True)
class Instruction:
    """One instruction.

    Attributes:
        name: mnemonic.
        group: of the specification: arithmetic, logic, memory, vector, neural, control, system, eggroll.
        operands: as the assembler takes them, such as ("rd", "i(rs)").
        format: which fields the word has: R d a b function, W d a b i, I d a i, J d i.
        opcode: number in the three highest pents.
        function: number in the four lowest pents; 0 where the format has none.
        semantics: what it does.
        flags: which of Z N P V C S it computes, the others become 0; "" leaves all six as they are.
        unit: what executes it.
        occupancy, latency: cycles, as the module tells.
    """

    name: str
    group: str
    operands: tuple[str, ...]
    format: Format
    opcode: int
    function: int
    semantics: str
    flags: str
    unit: Unit
    occupancy: str
    latency: str


def _table() -> tuple[Instruction, ...]:
    lines = [(group, line.split("|")) for group, lines in _ROWS.items() for line in lines.strip().splitlines()]
    return tuple(_instruction(group, *map(str.strip, cells)) for group, cells in lines)


def _instruction(
    group: str, name: str, operands: str, word: str, semantics: str, flags: str, *timing: Any
) -> Instruction:
    form, opcode, function = (word + " 0").split()[:3]
    taken = tuple(operands.split(", ")) if operands else ()
    return Instruction(name, group, taken, cast(Format, form), int(opcode), int(function), semantics, flags, *timing)


# name | operands | format opcode function | semantics | flags | unit | occupancy | latency
_ROWS: Final = {
    "arithmetic": """
        ADD    | rd, rs, rt   | R 1 1  | rd = wrap(rs + rt) | ZNPVC | scalar | 1 | 1
        SUB    | rd, rs, rt   | R 1 2  | rd = wrap(rs - rt) | ZNPVC | scalar | 1 | 1
        ADDS   | rd, rs, rt   | R 1 3  | rd = sat(rs + rt) | ZNPVCS | scalar | 1 | 1
        SUBS   | rd, rs, rt   | R 1 4  | rd = sat(rs - rt) | ZNPVCS | scalar | 1 | 1
        MUL    | rd, rs, rt   | R 1 5  | rd = wrap(rs * rt) | ZNPVC | multiplier | 1 | 4
        MULH   | rd, rs, rt   | R 1 6  | rd = round(rs * rt / 5^16) | ZNP | multiplier | 1 | 4
        DIV    | rd, rs, rt   | R 1 7  | rd = rs / rt, towards zero; divide fault if rt = 0 | ZNP | divider | 18 | 18
        REM    | rd, rs, rt   | R 1 8  | rd = rs - rt * (rs / rt, towards zero); divide fault if rt = 0 | ZNP | divider | 18 | 18
        NEG    | rd, rs       | R 1 9  | rd = -rs | ZNP | scalar | 1 | 1
        ABS    | rd, rs       | R 1 10 | rd = the magnitude of rs | ZNP | scalar | 1 | 1
        MUL2   | rd, rs       | R 1 11 | rd = wrap(rs + rs) | ZNPVC | scalar | 1 | 1
        DIV2   | rd, rs       | R 1 12 | rd = rs / 2, towards zero; C where rs is odd | ZNPC | scalar | 1 | 1
        ADDI   | rd, rs, i    | I 4    | rd = wrap(rs + i) | ZNPVC | scalar | 1 | 1
        ADDHI  | rd, rs, i    | I 5    | rd = wrap(rs + i * 5^10) | ZNPVC | scalar | 1 | 1
        MULI   | rd, rs, i    | I 6    | rd = wrap(rs * i) | ZNPVC | multiplier | 1 | 4
        SHLI   | rd, rs, k    | I 7    | rd = wrap(rs * 5^k) | ZNPVC | scalar | 1 | 1
        SHRI   | rd, rs, k    | I 8    | rd = round(rs / 5^k); C where pents other than 0 are lost | ZNPC | scalar | 1 | 1
        SHL    | rd, rs, rt   | R 1 30 | rd = wrap(rs * 5^rt); operand fault if rt is outside 0..16 | ZNPVC | scalar | 1 | 1
        SHR    | rd, rs, rt   | R 1 31 | rd = round(rs / 5^rt); C where pents other than 0 are lost; operand fault if rt is outside 0..16 | ZNPC | scalar | 1 | 1
        LI     | rd, i        | J 9    | rd = i | | scalar | 1 | 1
        MAC    | rs, rt       | R 1 13 | ACC = ACC + rs * rt, its low 32 pents; V and C where that is not the sum | ZNPVC | multiplier | 1 | 4
        ACCSET | rs           | R 1 14 | ACC = rs | ZNP | multiplier | 1 | 4
        ACCGET | rd, k        | I 10   | rd = sat(round(ACC / 5^k)); V, C and S where it saturates | ZNPVCS | scalar | 1 | 1
    """,
    "logic": """
        MIN    | rd, rs, rt   | R 1 15 | rd = the lesser of rs and rt | ZNP | scalar | 1 | 1
        MAX    | rd, rs, rt   | R 1 16 | rd = the greater of rs and rt | ZNP | scalar | 1 | 1
        CONS   | rd, rs, rt   | R 1 17 | each pent of rd = the one of rs and rt nearer 0 where both have one sign, else 0 | ZNP | scalar | 1 | 1
        SIGN   | rd, rs       | R 1 18 | rd = -1, 0 or 1 as rs is | ZNP | scalar | 1 | 1
        CLAMP  | rd, rs, w    | I 11   | rd = sat_w(rs); S where it saturates | ZNPS | scalar | 1 | 1
        CMP    | rs, rt       | R 1 19 | Z N P of the exact rs - rt | ZNP | scalar | 1 | 1
        CMP3   | rd, rs, rt   | R 1 32 | rd = -1, 0 or 1 as rs is less than, equal to or greater than rt | ZNP | scalar | 1 | 1
        FLAGS  | rd           | R 1 20 | rd = (-1, 0 or 1 for N, Z, P) + 5 V + 25 C + 125 S | | scalar | 1 | 1
    """,
    "memory": """
        LOAD   | rd, i(rs)    | I 12   | rd = M[rs + i] | | scalar | 1 | 2
        STORE  | ru, i(rs)    | I 13   | M[rs + i] = ru | | scalar | 1 | 1
        PUSH   | rs           | R 1 21 | P30 = P30 - 1; M[P30] = rs as it was before | | scalar | 1 | 1
        POP    | rd           | R 1 22 | rd = M[P30]; P30 = P30 + 1; rd wins if it is P30 | | scalar | 2 | 3
        LOADV  | vd, i(rs)    | I 14   | vd[j] = M[rs + i + j], j < VL | | memory | x | x+2
        STOREV | vu, i(rs)    | I 15   | M[rs + i + j] = vu[j], j < VL | | memory | x | x+1
        LOADVS | vd, rs, rt   | R 1 33 | vd[j] = M[rs + j * rt], j < VL | | memory | x | x+2
        STOREVS | vu, rs, rt  | R 1 34 | M[rs + j * rt] = vu[j], for j = 0, 1, .. VL - 1 in this order | | memory | x | x+1
        LOADVX | vd, vs, rt   | R 1 35 | vd[j] = M[rt + vs[j]], j < VL | | memory | x | x+2
        STOREVX | vu, vs, rt  | R 1 36 | M[rt + vs[j]] = vu[j], for j = 0, 1, .. VL - 1 in this order | | memory | x | x+1
    """,
    "vector": """
        SETVL  | rs           | R 1 23 | VL = rs; operand fault outside 1..256 | | scalar | 1 | 1
        VADD   | vd, vs, vt   | R 2 1  | vd[j] = sat(vs[j] + vt[j]), j < VL | | vector | v | v+2
        VSUB   | vd, vs, vt   | R 2 2  | vd[j] = sat(vs[j] - vt[j]), j < VL | | vector | v | v+2
        VADDS  | vd, vs, rt   | R 2 3  | vd[j] = sat(vs[j] + rt), j < VL | | vector | v | v+2
        VMULS  | vd, vs, rt   | R 2 4  | vd[j] = sat(vs[j] * sat_8(rt)), j < VL | | vector | v | v+4
        VMUL   | vd, vs, vt   | R 2 12 | vd[j] = sat(vs[j] * sat_8(vt[j])), j < VL | | vector | v | v+4
        VSUM   | rd, vs       | R 2 13 | rd = sat(sum over j < VL of vs[j]) | | vector | v | v+d+2
        VMAX   | rd, vs       | R 2 14 | rd = the greatest of vs[j], j < VL | | vector | v | v+d+2
        VCMP   | vd, vs, vt   | R 2 15 | vd[j] = -1, 0 or 1 as vs[j] is less than, equal to or greater than vt[j], j < VL | | vector | v | v+2
        VSEL   | vd, vs, vt   | R 2 16 | vd[j] = vt[j] where vs[j] > 0, else vd[j] as before, j < VL | | vector | v | v+2
        VGET   | rd, vs, rt   | R 2 5  | rd = vs[rt]; operand fault outside 0..VL-1 | | vector | 1 | 2
        VSET   | vd, rs, rt   | R 2 6  | vd[rs] = rt, the other elements stay; operand fault outside 0..VL-1 | | vector | 1 | 2
    """,
    "neural": """
        LOADX  | vs, rt       | R 2 7  | X[rt][j] = sat_1(vs[j]), j < 256; operand fault outside 0..255 | | crossbar | 16 | 16
        MATVEC | vd, vs       | R 2 8  | vd[j] = sat(sum over i < 256 of vs[i] * X[i][j]), j < VL | | crossbar | 16 | 20
        RELU   | vd, vs       | R 2 9  | vd[j] = the greater of vs[j] and 0, j < VL | | vector | v | v+2
        QUANT  | vd, vs, k, w | W 16   | vd[j] = sat_w(round(vs[j] / 5^k)), j < VL | | vector | v | v+2
        POOL   | vd, vs, w    | W 17   | vd[j] = the greatest of vs[w j] .. vs[w j + w - 1], j < floor(VL / w) | | vector | v | v+2
        CONV   | vd, vs, vt, w | W 18  | vd[j] = sat(sum over i < w of vs[j + i] * sat_8(vt[i])), j <= VL - w | | vector | wv | wv+4
    """,
    "control": """
        BEQ    | rs, ru, j7   | I 20   | go to j7 if rs = ru | | scalar | 1 | 1
        BNE    | rs, ru, j7   | I 21   | go to j7 if rs is not ru | | scalar | 1 | 1
        BLT    | rs, ru, j7   | I 22   | go to j7 if rs < ru | | scalar | 1 | 1
        BGT    | rs, ru, j7   | I 23   | go to j7 if rs > ru | | scalar | 1 | 1
        BLE    | rs, ru, j7   | I 26   | go to j7 if rs <= ru | | scalar | 1 | 1
        BGE    | rs, ru, j7   | I 27   | go to j7 if rs >= ru | | scalar | 1 | 1
        JUMP   | j10          | J 24   | go to j10 | | scalar | 1 | 1
        CALL   | j10          | J 25   | P31 = the next address; go to j10 | | scalar | 1 | 1
        RET    |              | R 1 24 | go to the address in P31 | | scalar | 1 | 1
        JUMPR  | rs           | R 1 37 | go to the address in rs | | scalar | 1 | 1
        CALLR  | rs           | R 1 38 | P31 = the next address; go to the address that was in rs | | scalar | 1 | 1
    """,
    "system": """
        NOP    |              | R 1 25 | nothing | | scalar | 1 | 1
        HALT   |              | R 1 26 | wait until the vector unit, the vector load/store unit, the crossbar and the low-rank unit are idle; end the program | | scalar | 1 | 1
        SYNC   |              | R 1 27 | wait until the same four units are idle | | scalar | 1 | 1
        FENCE  |              | R 1 28 | wait until every vector load and store is complete | | scalar | 1 | 1
        CSRR   | rd, ss       | R 1 39 | rd = control and status register ss | | scalar | 1 | 1
        CSRW   | sd, rs       | R 1 40 | control and status register sd = rs; operand fault outside its range | | scalar | 1 | 1
        TRET   |              | R 1 41 | ENABLE = PREVIOUS; TRAPPED = 0; the flags are those in OLDFLAGS; go to the address in EPC | | scalar | 1 | 1
    """,
    "eggroll": """
        PRNG   | rd, rs, rt   | R 3 1  | rd = prng(key rs, counter rt) | | lowrank | p | p+2
        LRSET  | cd, rs       | R 3 2  | control register cd = rs; operand fault outside its range | | lowrank | 1 | 1
        LRGEN  | rs           | R 3 3  | A[l][i], i < ROWS, and B[l][j], j < COLS, for l < RANK: the factors of pair rs under KEY; operand fault if rs < 0 or rs > 195312 | | lowrank | g+2 | g+2
        LRMUL  | rs           | R 3 4  | S[j] = sum over l < RANK of A[l][rs] * B[l][j], j < COLS, the other S become 0; operand fault outside 0..ROWS-1 | | lowrank | rn | rn+4
        LRMULX | vs           | R 3 5  | U[l] = sum over i < ROWS of sat_4(vs[i]) * A[l][i]; S[j] = sum over l < RANK of U[l] * B[l][j], j < COLS, the other S become 0 | | lowrank | rm+rn+d+3 | rm+rn+d+6
        PQUANT |              | R 3 6  | S[j] = round(S[j] / sqrt(RANK)) in -2..2, ties to 0, for all j; no effect on S that is quantised already | | lowrank | 1 | 1
        LRADD  | vd, vs, rt   | R 3 7  | vd[j] = round(sat_WIDTH(sat_8(vs[j]) + sat_8(rt) * sat_1(S[j])) / 5^(WIDTH-1)), j < COLS | | lowrank | b | b+8
        LRACC  | vd, vs, rt   | R 3 8  | vd[j] = sat_12(vs[j]) + sat_1(rt) * S[j], j < COLS | | lowrank | b | b+8
        POPEVAL | fd, vs, vt  | R 2 10 | F[fd] = sat(F[fd] + sum over j < VL of sat_8(vs[j] - vt[j])^2) | | vector | v | v+d+4
        FITGET | rd, fs       | R 2 11 | rd = F[fs]; F[fs] = 0 | | vector | 1 | 2
        POPAVG | vd, vs, vt   | R 3 9  | vd[j] = sat_WIDTH(sat_8(vs[j]) + round(sat_8(vt[j]) * GAIN / 5^8)), j < COLS | | lowrank | 44b+16 | 44b+24
    """,
}

INSTRUCTIONS: Final = _table()
BY_NAME: Final = {instruction.name: instruction for instruction in INSTRUCTIONS}

assert GAIN_SHIFT == 8 and TOTAL_WIDTH == OPERAND  # as POPAVG's line says
