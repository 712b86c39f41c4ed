"""What invoicing does."""
