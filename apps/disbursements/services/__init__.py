"""Writes: each function decides and records in one transaction, or calls a provider between two."""
