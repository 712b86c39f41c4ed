"""The hosted pages of the Stripe face: checkout, the challenge of a bank, and the owner of a connected account."""
