"""The people and businesses that the organisation deals with: customers, suppliers, merchants, riders, branches."""
