"""The provider simulator: a process of its own that needs none of the product's apps, database or secrets."""

SECRET_KEY = "the simulator signs nothing"  # noqa: S105 (Django wants one; nothing is signed)
INSTALLED_APPS = ["apps.simulator"]
USE_TZ = True
DATABASES: dict[str, object] = {}
