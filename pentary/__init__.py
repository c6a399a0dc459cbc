"""Balanced quinary numbers, the low-rank operations on them, and training with them: the golden reference."""
