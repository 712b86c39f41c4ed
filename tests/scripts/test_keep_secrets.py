"""keep secrets: made once, readable by their user alone, and handed on unchanged."""

import base64

from script.devkit import environment, passwords
from script.devkit.environment import Ports, Servers
from script.devkit.folders import Folders


def test_the_file_is_private_and_stays_the_same(tmp_path):
    path = tmp_path / "secrets.env"

    first = passwords.load(path)
    second = passwords.load(path)

    assert path.stat().st_mode & 0o777 == 0o600
    assert second == first
    assert len(base64.b64decode(first["TREASURY_MASTER_KEY"])) == 32


def test_a_name_that_an_older_file_lacks_is_added(tmp_path):
    path = tmp_path / "secrets.env"
    path.write_text("VALKEY_PASSWORD=kept\n")

    secrets = passwords.load(path)

    assert secrets["VALKEY_PASSWORD"] == "kept"
    assert set(secrets) == set(passwords.MAKERS)
    assert passwords.load(path) == secrets


def test_local_env_gives_back_what_was_written(tmp_path):
    folders = Folders(tmp_path / "a folder with 'quotes'")
    folders.make()
    variables = environment.own(
        folders,
        ports=Ports(http=4001, simulator=4010),
        servers=Servers("postgresql://127.0.0.1:5/treasury", "redis://:p@127.0.0.1:6/0"),
        secrets=passwords.load(folders.var / "secrets.env"),
        settings="treasury.settings.local",
    )

    environment.write(folders.var / "local.env", variables)

    assert environment.read(folders.var / "local.env") == variables
    assert (folders.var / "local.env").stat().st_mode & 0o777 == 0o600
