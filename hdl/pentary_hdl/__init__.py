"""Gateware of the pentary processor in Amaranth: says HOW. Not built yet; training runs on the NumPy engine."""
