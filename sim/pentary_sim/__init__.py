"""Cycle-level model of the pentary processor: says WHEN. Not built yet; training runs on the NumPy engine."""
