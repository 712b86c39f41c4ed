"""Collections: payment intents, the attempts to collect them from a payer, and what providers report of them."""
