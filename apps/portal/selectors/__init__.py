"""What the portal's pages show, put together from the other apps' selectors for one person."""
