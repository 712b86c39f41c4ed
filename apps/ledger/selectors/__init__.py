"""Reading the ledger: accounts with their balances, entries of an account, transactions of a source."""
