"""Amaranth gateware of the pentary processor: `lralu` is the low-rank ALU, `bench` holds its test benches."""
