"""skip what is done: a stamp counts only for the very files and words that it was made of."""

from script.devkit import processes, virtualenv
from script.devkit.folders import fingerprint, is_stamped


def test_a_stamp_matches_until_a_file_or_a_word_changes(tmp_path):
    file, stamp = tmp_path / "dev.txt", tmp_path / "stamp"
    file.write_text("django==5.2.19\n")
    value = fingerprint([file], "3.12.1")

    stamp.write_text(value)

    assert is_stamped(stamp, fingerprint([file], "3.12.1"))
    assert not is_stamped(stamp, fingerprint([file], "3.13.0"))
    file.write_text("django==5.2.20\n")
    assert not is_stamped(stamp, fingerprint([file], "3.12.1"))


def test_packages_are_looked_at_again_when_the_requirements_change(tmp_path, monkeypatch):
    virtualenv.ensure()
    assert virtualenv.is_ready()

    changed = tmp_path / "dev.txt"
    changed.write_bytes(virtualenv.REQUIREMENTS.read_bytes() + b"# one more line\n")
    monkeypatch.setattr(virtualenv, "REQUIREMENTS", changed)

    assert not virtualenv.is_ready()


def test_code_means_python_and_sql_of_both_source_folders():
    suffixes = {path.suffix for path in processes.code_files()}

    assert suffixes == {".py", ".sql", ".txt"}
