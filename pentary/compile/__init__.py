"""Compiler: a described network becomes an assembly program that trains it on the processor, to the same digests."""
