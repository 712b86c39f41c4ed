"""What the integrations app does: accounts, ports of providers, the record of calls, the inbox of callbacks."""
