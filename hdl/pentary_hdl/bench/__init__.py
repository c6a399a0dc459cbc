"""Test benches in cocotb, for any unit whose ports are streams, and the bench of the low-rank ALU.

`architecture/verification.md` is the guide. `driver`, `monitor`, `coverage`, `harness` and `runner` know nothing of
the low-rank ALU; the modules whose names begin with `lralu` do. Only `driver`, `monitor` and what imports them need a
simulator around them.
"""
