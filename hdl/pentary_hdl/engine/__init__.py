"""Engine `rtl`: training on the simulated Verilog, compiled by Verilator."""
