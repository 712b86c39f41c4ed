"""Access: branches, applications, people with their roles, API keys and idempotency; who may do what, and where."""
