"""Verilog export: `export` writes the Verilog, `description` a JSON description, `testbench` a testbench, `cheader` a C
header."""
