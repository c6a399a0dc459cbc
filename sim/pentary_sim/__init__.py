"""Cycle-level model of the pentary processor: `simulator` is the machine, `engine` trains networks on it."""
