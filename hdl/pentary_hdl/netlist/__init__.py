"""Netlists: the hardware after synthesis, as Verilog that any simulator takes."""
