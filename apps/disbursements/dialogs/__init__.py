"""What people do with connected accounts and transfers in the portal, by noun."""
