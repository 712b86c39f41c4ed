"""Parties over the API."""
