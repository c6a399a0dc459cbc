"""The vector unit: vector registers and their scoreboard, queue, lanes and reductions; `architecture/vector.md`."""
