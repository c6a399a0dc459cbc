"""The low-rank unit of the processor, beside the vector unit; `architecture/lowrank_unit.md` describes it."""
