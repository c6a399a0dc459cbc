"""Cycle-level model of the pentary processor: says WHEN. `simulator` is the machine, `training` trains on it."""
