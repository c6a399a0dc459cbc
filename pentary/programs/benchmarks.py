"""Benchmark kernels: small, self-checking programs in the folder of the same name.

What is measured lies between the labels `kernel` and `kernel_end` of a program; `frame.s` describes its other parts.
"""

from pathlib import Path
from typing import Final

from pentary.asm import assemble
from pentary.isa.program import Program

PROGRAMS: Final = Path(__file__).parent / "kernels"

SIZES: Final = {
    "median": (100, 400, 1600),
    "quicksort": (100, 400, 1600),
    "towers": (5, 8, 11),
    "multiply": (20, 60, 200),
    "spmv": (20, 60, 200),
    "spmv-vector": (20, 60, 200),
    "matmul": (12, 24, 36),
    "matmul-vector": (12, 24, 36),
    "sieve": (500, 2000, 8000),
    "crc": (100, 300, 1000),
    "strings": (4, 12, 40),
    "jumps": (25, 125, 3125),
}
"""Kernels, with three sizes of each: its parameter N; the second is what `pentary bench kernels` runs.

After a dash stands a parameter of the program that is 1.
"""


def assembled(name: str, size: int) -> Program:
    """Return the program of a kernel of SIZES in some size."""
    source, _, variant = name.partition("-")
    defines = {"N": size} | ({variant.upper(): 1} if variant else {})
    return assemble(PROGRAMS / f"{source}.s", defines)
