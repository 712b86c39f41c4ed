"""The settings of a later build for the tenancy bench: one migration more in every organisation."""

from treasury.settings import local

ONE_MORE = "script.devkit.benches.one_more"

globals().update({name: getattr(local, name) for name in dir(local) if name.isupper()})
TENANT_APPS = [*local.TENANT_APPS, ONE_MORE]
INSTALLED_APPS = [*local.INSTALLED_APPS, ONE_MORE]
