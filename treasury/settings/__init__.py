"""Settings, one module per concern; local, test and production choose among them."""
