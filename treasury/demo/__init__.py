"""The demo organisation and its month: made and played through the services of the apps, as people and programs would."""
