"""What the portal writes: how people like to look at its lists."""
