"""Reports as tables, and tables as pages."""
