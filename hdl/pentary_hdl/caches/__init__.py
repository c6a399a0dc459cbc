"""Caches of the processor as gateware: two of the first level over one of the second, and the port to memory."""
