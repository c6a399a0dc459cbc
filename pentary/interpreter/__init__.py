"""Reference interpreter: the semantics of every instruction in plain Python integers, without timing.

Where the semantics column of the instruction table is ambiguous, this code is authoritative. Faster engines are
compared with it, with the programs of `pentary.randomprogram` among others. `words` has the arithmetic, `state` the
architectural state; `scalar`, `vector` and `lowrank` have a function for each instruction, whose parameters are the
operands in the table; `machine` fetches and executes.
"""

from pentary.interpreter.machine import Interpreter

__all__ = ["Interpreter"]
