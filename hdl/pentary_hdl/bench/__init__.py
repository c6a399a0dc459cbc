"""Test benches in cocotb: components for any unit with stream ports, and the benches of the low-rank ALU.

`architecture/verification.md` is the guide. `driver`, `monitor`, `coverage`, `harness` and `runner` do not depend on
the low-rank ALU. `driver`, `monitor` and the modules that import them run only inside a simulator.
"""
