"""The catalogue of events, the outbox that carries them to their handlers, and the webhooks that carry them to partners."""
