"""Audit: who did what to which thing, when and from where; written in the transaction of the deed, never changed."""
