"""Tags of templates about access."""
