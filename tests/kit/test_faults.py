"""Named points and whoever listens to them."""

import pytest

from apps.kit import faults


class PowerCut(BaseException):
    """Stands for the end of a process."""


def test_calls_the_hook_at_each_point_of_its_context():
    reached = []

    with faults.hooked(reached.append):
        faults.reach("payments.before_send")
        faults.reach("payments.after_send")
    faults.reach("payments.before_send")

    assert reached == ["payments.before_send", "payments.after_send"]


def test_lets_pass_what_the_hook_raises():
    def cut(name):
        raise PowerCut(name)

    with faults.hooked(cut), pytest.raises(PowerCut, match="before_send"):
        faults.reach("payments.before_send")
