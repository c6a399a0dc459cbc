"""What a machine is made of: its configuration, the same for the model and the gateware."""
