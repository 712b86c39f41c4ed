"""The least that `runsimulator` needs: no database, no other app."""

INSTALLED_APPS = ["apps.simulator"]
SECRET_KEY = "only-for-the-test-of-the-command"
USE_TZ = True
