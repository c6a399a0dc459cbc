"""What gateware costs: in standard cells, and on FPGAs."""
