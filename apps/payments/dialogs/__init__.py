"""What people do in the pages of payments, by noun."""
