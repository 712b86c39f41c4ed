"""What people do in the portal with accounts at providers, what their refusals stand for, and what they sent."""
