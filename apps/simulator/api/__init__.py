"""The machine-readable faces of the simulator: Daraja, sources of exchange rates, and the control interface."""
