"""The pages of the PayPal face: approval of a payment or of a kept wallet, and the accounts."""
