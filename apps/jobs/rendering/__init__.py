"""Files that jobs write: what a cell may hold, and one writer for each format."""
