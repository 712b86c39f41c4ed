"""What jobs does."""
