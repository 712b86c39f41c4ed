"""The REST interface of invoicing."""
