"""Suggestions: which payments money in suspense may be of, the likeliest first, with what speaks for each."""

from datetime import timedelta

from apps.kit.money import Money
from apps.payments.contracts import Choice, Method
from apps.payments.models import PaymentAttempt
from apps.payments.selectors import suggestions
from tests.factories import access, payments
from tests.factories import refunds as made
from tests.payments.test_late_money import choose
from tests.payments.test_pay_in_parts import A_THIRD, TWO_THIRDS, partly

WANJIRU = Choice(Method.MPESA, "+254700000111", "Wanjiru Maina")


def of(inbound, reader=None):
    return suggestions.of((reader or access.member()).user, inbound)


def test_the_likeliest_come_first_with_their_reasons(acme):
    slip = payments.intent(reference="ORDER-1701", choice=WANJIRU)
    same_phone = payments.intent()
    same_sum = payments.intent(choice=WANJIRU)
    another_sum = payments.intent(reference="ORDER-17O1", money=Money(20_00, "KES"), choice=WANJIRU)
    payments.intent(money=Money(20_00, "KES"), choice=WANJIRU)
    made.paid()
    inbound = payments.held(reference="ORDER-17O1", payer_name="Njeri Kamau")

    found = of(inbound)

    assert [suggestion.intent for suggestion in found] == [same_phone, slip, another_sum, same_sum]
    assert [suggestion.reasons for suggestion in found] == [
        ("The sum is the same", "What is shown of the phone agrees", "The payer has the same name"),
        ("The sum is the same", "Almost its reference was typed"),
        ("Its reference was typed", "It asks for another sum: KES 20.00"),
        ("The sum is the same",),
    ]
    assert [suggestion.can_be_assigned for suggestion in found] == [True, True, False, True]


def test_the_rest_of_what_is_paid_in_part_is_likely_and_less_of_it_can_be_assigned(acme):
    access.portal()
    choose(takes_parts=True)
    intent = partly(reference="ORDER-17")
    choose()
    rest, less = payments.held(money=TWO_THIRDS), payments.held(money=A_THIRD, reference="ORDER-17")
    more = payments.held(money=payments.KES_1500, reference="ORDER-17")

    reader = access.member()
    found = [of(inbound, reader)[0] for inbound in (rest, less, more)]

    assert [suggestion.intent.id for suggestion in found] == [intent.id] * 3
    assert [suggestion.can_be_assigned for suggestion in found] == [True, True, False]
    assert found[0].reasons[0] == "The sum is the same"
    assert "It pays a part" in found[1].reasons
    assert "It asks for another sum: KES 1,000.00" in found[2].reasons


def test_a_receipt_that_the_payer_named_weighs_most(acme):
    inbound = payments.held()
    named, other = payments.sending(choice=WANJIRU), payments.intent(choice=WANJIRU)
    PaymentAttempt.objects.filter(id=named.id).update(claimed_receipt=inbound.receipt)

    found = of(inbound)

    assert [suggestion.intent.id for suggestion in found] == [named.intent_id, other.id]
    assert found[0].reasons[0] == "The payer named this receipt"


def test_nothing_speaks_for_what_is_old_or_of_another_branch(acme):
    payments.intent(now=payments.NOW - timedelta(days=32))
    payments.intent(branch_id=access.branch("MSA", "Mombasa").id)
    inbound = payments.held()

    assert of(inbound, access.member(branches=(access.head_office(),))) == []
