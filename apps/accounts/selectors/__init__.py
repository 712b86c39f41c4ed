"""What accounts knows."""
