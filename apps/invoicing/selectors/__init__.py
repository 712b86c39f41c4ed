"""What invoicing knows."""
