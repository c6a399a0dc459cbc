"""The low-rank ALU: its gateware, and `twin`, the model of its ports that the benches compare it with.

`unit` is the whole; `front` decodes and computes (`decoder`, `generator`, `factors`, `lanes`, `quantiser`, `update`),
`mover` adds what was computed to the elements of a row. `digits` and `alphabet` are the cells of digits.
`architecture/lralu.md` is the specification.
"""
