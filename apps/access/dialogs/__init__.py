"""What people do in the pages of access, by noun."""
