"""What tenancy does."""
