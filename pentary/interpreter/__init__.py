"""The interpreter: what every instruction does, in plain Python integers and without a clock.

Where the table's semantics column and this code could be read in two ways, the code decides; faster engines are held
against it, with the programs of `pentary.randomprogram` among others. `words` has the arithmetic, `state` what a
program can see and change; `scalar`, `vector` and `lowrank` have a line or a function for each instruction, whose
parameters are the operands in the table; `machine` fetches and runs.
"""

from pentary.interpreter.machine import Interpreter

__all__ = ["Interpreter"]
