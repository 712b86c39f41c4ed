"""Sources of exchange rates: each adapter reads what one of them publishes."""
