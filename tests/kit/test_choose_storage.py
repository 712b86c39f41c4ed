"""Choose storage: by the environment; what cannot be meant, or is unsafe in production, is refused by name."""

import pytest
from django.conf import settings as current

from treasury.settings import env, files

BUCKET = {"TREASURY_STORAGE": "s3", "TREASURY_STORAGE_BUCKET": "files"}
KEYS = {"TREASURY_STORAGE_ACCESS_KEY": "key", "TREASURY_STORAGE_SECRET_KEY": "secret"}


@pytest.fixture
def chosen(monkeypatch):
    """Return a function that sets these variables, and no others of the storage."""

    def choose(variables):
        for name in env.VARIABLES:
            if name.startswith("TREASURY_STORAGE"):
                monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return files.places()

    return choose


def test_a_folder_without_being_asked(chosen):
    places = chosen({"TREASURY_STORAGE_PATH": "/srv/files"})

    assert places["documents"] == places["results"]
    assert places["documents"]["BACKEND"] == "apps.kit.folder_storage.FolderStorage"
    assert places["documents"]["OPTIONS"]["location"] == "/srv/files"


def test_a_bucket_with_documents_locked_and_results_linked(chosen):
    address, lock = (
        {"TREASURY_STORAGE_ENDPOINT_URL": "https://s3.example.com/"},
        {"TREASURY_STORAGE_LOCK_DAYS": "30"},
    )
    link = {"TREASURY_STORAGE_LINK_URL": "https://files.example.com"}

    places = chosen({**BUCKET, **KEYS, **address, **lock, **link, "TREASURY_STORAGE_PREFIX": "treasury/live"})

    documents, results = places["documents"]["OPTIONS"], places["results"]["OPTIONS"]
    assert (documents["location"], results["location"]) == (
        "treasury/live/documents",
        "treasury/live/results",
    )
    assert (documents["lock_days"], results["link_url"]) == (30, "https://files.example.com")
    assert "lock_days" not in results
    assert documents["endpoint_url"] == "https://s3.example.com"


def test_documents_are_locked_for_seven_years_without_being_asked(chosen):
    places = chosen(BUCKET)

    assert places["documents"]["OPTIONS"]["lock_days"] == 2557
    assert places["documents"]["OPTIONS"]["access_key"] is None  # the role of the machine


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({"TREASURY_STORAGE": "disk"}, "TREASURY_STORAGE is folder"),
        ({"TREASURY_STORAGE": "s3"}, "TREASURY_STORAGE_BUCKET"),
        ({"TREASURY_STORAGE_BUCKET": "files"}, "TREASURY_STORAGE_BUCKET"),
        ({"TREASURY_STORAGE_SECRET_KEY": "secret"}, "TREASURY_STORAGE_SECRET_KEY"),
        ({**BUCKET, "TREASURY_STORAGE_ACCESS_KEY": "key"}, "TREASURY_STORAGE_SECRET_KEY"),
        ({**BUCKET, "TREASURY_STORAGE_SECRET_KEY": "secret"}, "TREASURY_STORAGE_ACCESS_KEY"),
        ({**BUCKET, "TREASURY_STORAGE_LOCK_DAYS": "-1"}, "TREASURY_STORAGE_LOCK_DAYS"),
        ({**BUCKET, "TREASURY_STORAGE_LOCK_DAYS": "a year"}, "TREASURY_STORAGE_LOCK_DAYS"),
        ({**BUCKET, "TREASURY_STORAGE_PREFIX": "../other"}, "TREASURY_STORAGE_PREFIX"),
        ({**BUCKET, "TREASURY_STORAGE_PREFIX": "/files/"}, "TREASURY_STORAGE_PREFIX"),
        ({**BUCKET, "TREASURY_STORAGE_ENDPOINT_URL": "s3.example.com"}, "TREASURY_STORAGE_ENDPOINT_URL"),
        (
            {**BUCKET, "TREASURY_STORAGE_ENDPOINT_URL": "https://a:b@s3.example.com"},
            "TREASURY_STORAGE_ENDPOINT_URL",
        ),
        (
            {**BUCKET, "TREASURY_STORAGE_LINK_URL": "https://files.example.com/bucket"},
            "TREASURY_STORAGE_LINK_URL",
        ),
    ],
)
def test_refuses_what_cannot_be_meant(chosen, variables, name):
    with pytest.raises(env.SettingMissing, match=name):
        chosen(variables)


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({}, "TREASURY_STORAGE_PATH"),
        ({**BUCKET, "TREASURY_STORAGE_LOCK_DAYS": "0"}, "TREASURY_STORAGE_LOCK_DAYS"),
        ({**BUCKET, "TREASURY_STORAGE_LINK_URL": "http://files.example.com"}, "TREASURY_STORAGE_LINK_URL"),
    ],
)
def test_production_refuses_what_is_unsafe(chosen, variables, name):
    chosen(variables)

    assert [found for found, _ in files.faults_in_production()] == [name]


@pytest.mark.parametrize("variables", [{"TREASURY_STORAGE_PATH": "/srv/files"}, BUCKET])
def test_production_takes_a_folder_that_was_chosen_and_a_bucket_that_locks(chosen, variables):
    chosen(variables)

    assert list(files.faults_in_production()) == []


def test_there_is_no_default_storage():
    """Whoever writes a file says whether it is kept or passes: apps.kit.storage is the one way."""
    sources = [path for folder in ("apps", "treasury") for path in (current.BASE_DIR / folder).rglob("*.py")]
    users = {
        str(path.relative_to(current.BASE_DIR))
        for path in sources
        if "django.core.files.storage import" in path.read_text()
    }

    assert "default" not in current.STORAGES
    assert users == {"apps/kit/storage.py", "apps/kit/folder_storage.py"}
