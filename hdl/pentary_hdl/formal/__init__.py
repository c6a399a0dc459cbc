"""Proofs about the gateware, for all inputs and without simulation: `proofs` lists them, `prover` runs them."""
