"""M-Pesa by Safaricom's Daraja: translates between our words and theirs, and does nothing else."""
