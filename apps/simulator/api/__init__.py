"""The machine-readable faces of the simulator: Daraja and the control interface."""
