"""People who sign in; what they may do is decided by their membership in an organisation."""
