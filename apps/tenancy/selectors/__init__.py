"""What tenancy knows."""
