"""Verilog for users: `export` writes it, `description` its JSON, `testbench` its test, `cheader` a C header."""
