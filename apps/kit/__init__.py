"""The toolkit that every app may use; it has no models and knows no business noun."""
