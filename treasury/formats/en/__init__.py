"""English as written in East Africa."""
