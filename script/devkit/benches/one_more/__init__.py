"""An app of the organisations that brings one migration: what the tenancy bench has every schema migrated to."""
