"""Reads of connected accounts and transfers."""
