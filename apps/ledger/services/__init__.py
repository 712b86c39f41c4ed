"""What the ledger does: open accounts, book transactions, verify itself."""
