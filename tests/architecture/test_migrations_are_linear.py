"""Migrations form one line per app that starts at 0001_initial, and the models have no change without one."""

import pytest
from django.apps import apps
from django.core.management.commands.makemigrations import Command
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.questioner import NonInteractiveMigrationQuestioner
from django.db.migrations.state import ProjectState

OURS = sorted(
    config.label
    for config in apps.get_app_configs()
    if config.name.startswith("apps.") and list(config.get_models())
)


@pytest.fixture(scope="module")
def loader() -> MigrationLoader:
    return MigrationLoader(None, ignore_no_migrations=True)


@pytest.mark.parametrize("label", OURS)
def test_one_line_from_the_first_to_the_last(loader, label):
    names = sorted(name for app, name in loader.disk_migrations if app == label)
    parents = {
        name: [parent for app, parent in loader.disk_migrations[label, name].dependencies if app == label]
        for name in names
    }

    assert names[0] == "0001_initial"
    assert [name[:4] for name in names] == [f"{number:04d}" for number in range(1, len(names) + 1)]
    assert parents == {name: names[max(i - 1, 0) : i] for i, name in enumerate(names)}
    assert len(loader.graph.leaf_nodes(label)) == 1


def test_no_model_has_changed_without_a_migration(loader):
    found = Command.autodetector(
        loader.project_state(),
        ProjectState.from_apps(apps),
        NonInteractiveMigrationQuestioner(specified_apps=set(OURS), dry_run=True),
    ).changes(graph=loader.graph, trim_to_apps=set(OURS))

    assert {
        label: [operation.describe() for migration in made for operation in migration.operations]
        for label, made in found.items()
    } == {}
