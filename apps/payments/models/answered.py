"""What we say to a dispute: the texts that are written down for it, and the order to tell the provider."""

from django.db import models

from apps.payments.contracts import DisputeAnswer

REFUSAL_LENGTH = 300
REASON_LENGTH = 200
APPEAL_DROPPED = "The provider takes no appeal any more; it may not have had this one."


class Answered(models.Model):
    """
    The part of a dispute that is about our answer.

    ``evidence`` has the texts that are drafted, by the names of ``integrations.ports.Evidence``; files are rows of their own.
    ``answer`` is what was said last, by whom and when; ``answer_number`` counts the answers, for an appeal wants another one: the
    provider knows an answer that is given again by it. ``answer_due_at`` is set while the provider is to be told, after
    ``answer_tries``: SUBMITTED is the dispute then, or it stays lost where the answer is an appeal. ``may_appeal``: it is lost, and the
    provider said when it was asked last that it takes an appeal. ``answer_refusal`` is why it did not take the last one, or may not have, until it looks at the dispute again. ``acceptance_reason`` is why the dispute is to be
    given up, ``approval_id`` the request by which other people decide about that.
    """

    evidence = models.JSONField(default=dict)
    answer = models.CharField(
        max_length=12, choices=[(answer.value, answer.value) for answer in DisputeAnswer], blank=True
    )
    answer_number = models.PositiveSmallIntegerField(default=0)
    answer_tries = models.PositiveSmallIntegerField(default=0)
    answer_refusal = models.CharField(max_length=REFUSAL_LENGTH, blank=True)
    answered_by = models.CharField(max_length=120, blank=True)
    answered_at = models.DateTimeField(null=True)
    answer_due_at = models.DateTimeField(null=True)
    may_appeal = models.BooleanField(default=False)
    acceptance_reason = models.CharField(max_length=REASON_LENGTH, blank=True)
    approval_id = models.UUIDField(null=True)

    class Meta:
        abstract = True

    @property
    def is_appealable(self) -> bool:
        """Whether its loss may be appealed now: the provider takes that, and none is on its way."""
        return self.may_appeal and self.answer_due_at is None

    @property
    def is_appealing(self) -> bool:
        """Whether an appeal is on its way that the provider has not confirmed."""
        return self.may_appeal and self.answer_due_at is not None
