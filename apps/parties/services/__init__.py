"""What parties does."""
