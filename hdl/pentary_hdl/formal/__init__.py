"""Formal proofs about the gateware, for all inputs: `proofs` lists them, `prover` runs them."""
