"""What script/bench measures: one module per bench, the load that it makes, and the report that all of them end with."""
