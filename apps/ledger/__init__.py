"""Owns the double-entry ledger: accounts, balances, transactions and entries of one organisation, written by SQL functions only."""
