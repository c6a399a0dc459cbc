"""The low-rank ALU: its gateware, and `twin`, the reference model of its ports that the benches compare it with.

`unit` is the top level; `front` decodes and computes (`decoder`, `generator`, `factors`, `lanes`, `quantiser`,
`update`), `mover` adds the computed addends to the elements of a row. `digits` and `alphabet` hold the digit cells.
`architecture/lralu.md` is the specification.
"""
