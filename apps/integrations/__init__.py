"""Owns the accounts that an organisation has with payment providers, every call to them and every callback from them."""
