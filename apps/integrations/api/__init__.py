"""The address that providers call back."""
