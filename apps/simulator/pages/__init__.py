"""The pages of the simulator that a person uses."""
