"""One migration more."""
