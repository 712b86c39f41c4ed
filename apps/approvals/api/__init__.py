"""Approvals over the API."""
