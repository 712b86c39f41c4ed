"""Organisations: their schemas, domains and data keys, and how a new one is provisioned."""
