"""Documents of business: receipts now, numbered without gaps and never changed."""
