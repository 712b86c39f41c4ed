"""A local stand-in for M-Pesa: it speaks Daraja's HTTP on loopback and moves pretend money."""
