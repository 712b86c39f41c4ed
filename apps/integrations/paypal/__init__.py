"""PayPal: payers who agree on its own page, translated between our ports and its words."""
