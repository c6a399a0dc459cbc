"""Table of the bounded proofs of the core, by name."""

from functools import partial
from typing import Final

from pentary_hdl.formal import core_properties as properties
from pentary_hdl.formal.meaning import OUTCOMES
from pentary_hdl.formal.prover import Proof

_PRODUCTS: Final = ("core.multiplier", "core.divider")
_OPAQUE: Final = (*_PRODUCTS, "core.alu")
"""Parts that are left out where results are only moved: what the registers hold then is any word."""

_SUMS: Final = ("ADD", "SUB", "ADDS", "SUBS", "MUL2", "DIV2", "ADDI", "ADDHI")
"""Instructions whose outcome has a chain of carries, on which the solver takes too long."""

_WITHOUT_SUMS: Final = tuple(name for name in OUTCOMES if name not in _SUMS)

CORE_PROOFS: Final = {
    "core-order": Proof(
        "each instruction retires or traps, once and in order, none is left out, and none follows the end",
        properties.InOrder,
        None,
        bound=30,
        left_out=_OPAQUE,
    ),
    "core-alive": Proof(
        f"something retires or traps within any {properties.Alive.AT_MOST} cycles, until the program ends",
        properties.Alive,
        None,
        bound=40,
        left_out=_OPAQUE,
    ),
    "core-legal": Proof(
        "what retires is an instruction that the machine has, and what is trapped as an illegal one is none",
        properties.Legal,
        None,
        bound=8,
        left_out=_OPAQUE,
    ),
    "core-next": Proof(
        "after an instruction or a trap comes what is at the address to which it goes on, whichever record is first",
        properties.Next,
        None,
        bound=8,
        left_out=_OPAQUE,
    ),
    "core-registers": Proof(
        "STORE and PUSH write what the instructions before have left in their register, and 0 from register 0",
        properties.Stored,
        None,
        bound=7,
        left_out=_OPAQUE,
    ),
    "core-results": Proof(
        f"{', '.join(_WITHOUT_SUMS)} deliver the right word and flags, for any words in the registers that they read",
        partial(properties.Result, _WITHOUT_SUMS),
        None,
        bound=9,
        left_out=_PRODUCTS,
    ),
    "core-branches": Proof(
        "a branch goes to its target exactly if the words in the registers that it reads, any words, are related so",
        properties.Taken,
        None,
        bound=11,
        left_out=_PRODUCTS,
    ),
}
"""Proofs by name, in the order in which they are run."""
