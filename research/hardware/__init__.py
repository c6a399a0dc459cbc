"""Cost of gateware in standard cells and on FPGAs."""
