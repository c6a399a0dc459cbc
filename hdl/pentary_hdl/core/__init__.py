"""The processor's core as gateware: so far its words and its arithmetic and logic unit."""
