"""What the PayPal face does: objects, money and events, all in one transaction of the store."""
