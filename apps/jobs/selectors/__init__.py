"""What jobs knows."""
