"""Gateware of the pentary processor: says HOW. `lralu` is the low-rank unit, `bench` holds its benches."""
