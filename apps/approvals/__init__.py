"""Approvals: who must agree before a deed is done, and the decisions, each bound to what was seen."""
