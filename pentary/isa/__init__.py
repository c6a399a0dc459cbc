"""The instruction set of the pentary processor: one table, and the 16-pent words that encode it.

`table` holds one line per instruction; `encoding` turns instructions into words and back; `document` writes
`architecture/isa.md`. The assembler, the interpreter, the cycle-level model and the hardware all start from the table.
"""

from pentary.isa.encoding import Decoded, IllegalInstruction, decode, encode
from pentary.isa.table import BY_NAME, INSTRUCTIONS, Instruction

__all__ = ["BY_NAME", "INSTRUCTIONS", "Decoded", "IllegalInstruction", "Instruction", "decode", "encode"]
