"""The low-rank ALU as a peripheral: `axilite` is the bus interface, `wrapper` the registers and windows behind it."""
