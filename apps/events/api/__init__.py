"""The REST API of the events app."""
