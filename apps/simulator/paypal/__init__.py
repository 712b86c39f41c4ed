"""The PayPal face of the simulator: its API below /paypal/, its approval page, and what a person does there."""
