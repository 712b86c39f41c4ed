"""Reads of the integrations app."""
