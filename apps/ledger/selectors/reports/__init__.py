"""Reports: what stood on the accounts at a date, as known at an instant. Each is read in one statement."""
