"""The PayPal face over HTTP: the API that merchants call, and what only the control interface does."""
