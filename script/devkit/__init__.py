"""What script/server, script/test, script/lint and script/console are made of: standard library only."""
