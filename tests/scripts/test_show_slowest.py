"""show slowest: the files of tests that take the longest, by the reports of the run."""

from script.devkit import slowest

REPORT = """<testsuites><testsuite tests="4">
<testcase classname="tests.payments.test_routing.TestRules" name="test_one" time="1.5"/>
<testcase classname="tests.payments.test_routing" name="test_two" time="2.0"/>
<testcase classname="tests.kit.test_money" name="test_three[KES]" time="0.25"/>
<testcase classname="tests.scripts.test_bench" name="test_four" time="60"/>
</testsuite></testsuites>"""


def test_sums_up_what_the_tests_of_a_file_took(tmp_path, capsys):
    report = tmp_path / "tests-0.xml"
    report.write_text(REPORT)

    slowest.show([report, tmp_path / "tests-1.xml"])

    heading, *lines = capsys.readouterr().out.strip().splitlines()
    assert heading == "The longest of 3 files of tests, 64 s in all:"
    assert [line.split() for line in lines] == [
        ["60.0", "s", "scripts/test_bench.py"],
        ["3.5", "s", "payments/test_routing.py"],
        ["0.2", "s", "kit/test_money.py"],
    ]


def test_shows_nothing_where_no_test_ran(tmp_path, capsys):
    slowest.show([tmp_path / "tests-0.xml"])

    assert capsys.readouterr().out == ""
