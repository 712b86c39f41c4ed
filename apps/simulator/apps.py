"""Django's registration of the simulator, which has no models."""

from django.apps import AppConfig


class SimulatorConfig(AppConfig):
    """Gives `manage.py` the `runsimulator` command."""

    name = "apps.simulator"
    label = "simulator"
