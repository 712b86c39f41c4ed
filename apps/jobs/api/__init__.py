"""Jobs and exports over the API."""
