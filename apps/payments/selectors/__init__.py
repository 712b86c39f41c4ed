"""Reads of intents and attempts."""
