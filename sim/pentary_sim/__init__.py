"""Cycle-level model of the pentary processor: `simulator` is the machine, `training` trains networks on it."""
