"""The ledger over the API."""
