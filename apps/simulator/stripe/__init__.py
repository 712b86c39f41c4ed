"""The Stripe face of the simulator: its API below /stripe/v1/, its hosted pages, and what a person does there."""
