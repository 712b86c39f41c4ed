"""Money that leaves to parties: their accounts at a provider, and transfers to them."""
