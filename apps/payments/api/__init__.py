"""Payments over the API."""
