"""What documents knows."""
