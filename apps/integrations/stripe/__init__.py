"""Stripe: cards on its hosted page, translated between our ports and its words."""
