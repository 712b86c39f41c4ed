"""What documents does."""
