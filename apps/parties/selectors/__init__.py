"""What parties knows."""
