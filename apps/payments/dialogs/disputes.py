"""What people do with disputes: write and attach evidence, submit it, give the money up, or appeal."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.approvals.selectors import rules
from apps.integrations.contracts import provider_name
from apps.kit.dialogs import Answer, Content, Dialog, Effect, Notice, ReasonForm
from apps.payments.contracts import ANSWER_DISPUTE, DISPUTE_ACCEPTANCE, EvidencePurpose
from apps.payments.dialogs.refunds import others_decide
from apps.payments.models import Dispute
from apps.payments.selectors import disputes as stored
from apps.payments.services import dispute_answers, dispute_evidence
from apps.payments.services.dispute_evidence import DATES, FILE_MAX, TEXT_MAX

LONG = {"product", "text", "billing_address", "shipping_address", "refund_policy", "refund_refusal"}


def _field(name: str) -> forms.Field:
    label: dict[str, Any] = {"label": stored.WORDS[name], "required": False}
    if name in DATES:
        return forms.DateField(widget=forms.DateInput(attrs={"type": "date"}), **label)
    if name == "customer_email":
        return forms.EmailField(**label)
    if name == "customer_ip":
        return forms.GenericIPAddressField(**label)
    widget = forms.Textarea(attrs={"rows": 3}) if name in LONG else forms.TextInput()
    return forms.CharField(max_length=TEXT_MAX, widget=widget, **label)


class EvidenceForm(forms.Form):
    """The texts and dates of a draft."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.fields.update({name: _field(name) for name in stored.WORDS})


class WriteEvidence(Dialog):
    """Write what speaks for us; nothing is sent yet."""

    name = "evidence"
    label = gettext_lazy("Evidence…")
    icon = "edit_note"
    permission = ANSWER_DISPUTE

    def is_offered(self, row: Dispute) -> bool:
        return row.is_answerable

    def form(self, request: HttpRequest, rows: Sequence[Dispute], data: Any = None) -> forms.Form:  # noqa: ARG002 (the row says all)
        return EvidenceForm(data, initial=rows[0].evidence)

    def content(self, request: HttpRequest, rows: Sequence[Dispute]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Evidence for dispute %(dispute)s") % {"dispute": rows[0].ticket},
            button=_("Keep"),
            about=_("Leave empty what says nothing here."),
            next_step=_("It is kept as a draft. Nothing is sent before somebody submits it."),
            version=str(sorted(rows[0].evidence.items())),
        )

    def act(self, row: Dispute, answer: Answer) -> str:
        dispute_evidence.write(dispute_id=row.id, texts=answer.data, actor=answer.actor, now=answer.now)
        return _("The evidence is kept.")


class FileForm(forms.Form):
    """One file and what it proves."""

    purpose = forms.ChoiceField(
        label=gettext_lazy("What it proves"),
        choices=[(name.value, word) for name, word in stored.PURPOSES.items()],
    )
    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("PDF, PNG or JPEG, 2 MB at most."),
        widget=forms.FileInput(attrs={"accept": "application/pdf,image/png,image/jpeg"}),
    )

    def clean_file(self) -> UploadedFile:
        chosen: UploadedFile = self.cleaned_data["file"]
        if (chosen.size or 0) > FILE_MAX:
            raise forms.ValidationError(_("A file has 2 MB at most."))
        return chosen


class AttachFile(Dialog):
    """Attach a file to the draft, in place of the one that proves the same."""

    name = "attach"
    label = gettext_lazy("Attach a file…")
    icon = "attach_file"
    permission = ANSWER_DISPUTE

    def is_offered(self, row: Dispute) -> bool:
        return row.is_answerable

    def form(self, request: HttpRequest, rows: Sequence[Dispute], data: Any = None) -> forms.Form:  # noqa: ARG002 (nothing is filled in)
        return FileForm() if data is None else FileForm(data, request.FILES)

    def content(self, request: HttpRequest, rows: Sequence[Dispute]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Attach a file to dispute %(dispute)s") % {"dispute": rows[0].ticket},
            button=_("Attach"),
            next_step=_("It takes the place of the file that proves the same. Nothing is sent yet."),
        )

    def act(self, row: Dispute, answer: Answer) -> str:
        file = dispute_evidence.attach(
            dispute_id=row.id,
            purpose=EvidencePurpose(answer.data["purpose"]),
            name=answer.data["file"].name,
            content=answer.data["file"].read(),
            actor=answer.actor,
            now=answer.now,
        )
        return _("%(file)s is attached.") % {"file": file.name}


class PurposeForm(forms.Form):
    """Which file."""

    def __init__(self, data: Any = None, *, row: Dispute) -> None:
        super().__init__(data)
        kept = [
            (file.purpose, stored.PURPOSES[EvidencePurpose(file.purpose)]) for file in stored.files(row.id)
        ]
        self.fields["purpose"] = forms.ChoiceField(label=_("File"), choices=kept)


class DetachFile(Dialog):
    """Take a file out of the draft."""

    name = "detach"
    label = gettext_lazy("Take a file out…")
    icon = "remove"
    permission = ANSWER_DISPUTE

    def is_offered(self, row: Dispute) -> bool:
        return row.is_answerable and stored.files(row.id).exists()

    def form(self, request: HttpRequest, rows: Sequence[Dispute], data: Any = None) -> forms.Form:  # noqa: ARG002 (the row says all)
        return PurposeForm(data, row=rows[0])

    def content(self, request: HttpRequest, rows: Sequence[Dispute]) -> Content:  # noqa: ARG002 (the row says all)
        return Content(
            title=_("Take a file out of dispute %(dispute)s") % {"dispute": rows[0].ticket},
            button=_("Take it out"),
            next_step=_("It is no part of the draft any more. Nothing is sent yet."),
        )

    def act(self, row: Dispute, answer: Answer) -> str:
        dispute_evidence.detach(
            dispute_id=row.id,
            purpose=EvidencePurpose(answer.data["purpose"]),
            actor=answer.actor,
            now=answer.now,
        )
        return _("The file is taken out.")


def _drafted(row: Dispute) -> list[Effect]:
    return [
        Effect(_("Texts"), str(len(row.evidence))),
        Effect(_("Files"), ", ".join(_names(row)) or _("none")),
    ]


def _version(row: Dispute) -> str:
    """Return what must not have changed between the look at a draft and the order to send it."""
    return f"{row.status}:{sorted(row.evidence.items())}:{_names(row)}"


def _names(row: Dispute) -> list[str]:
    return [file.name for file in stored.files(row.id)]


class SendDraft(Dialog):
    """Send the draft to the provider, which is final; ``title``, ``button``, ``next_step`` and ``done`` say what for, ``send`` is the service."""

    permission = ANSWER_DISPUTE
    steps_up = True
    title: ClassVar[Any]
    button: ClassVar[Any]
    next_step: ClassVar[Any]
    done: ClassVar[Any]
    send: ClassVar[Callable[..., Dispute]]

    def hindrance(self, row: Dispute) -> str:
        return _("Write or attach something first.") if stored.is_without_evidence(row) else ""

    def content(self, request: HttpRequest, rows: Sequence[Dispute]) -> Content:  # noqa: ARG002 (the row says all)
        [row] = rows
        return Content(
            title=self.title % {"dispute": row.ticket},
            button=str(self.button),
            money=row.money,
            notices=[Notice(_("This is final"), _("Nothing can be added or changed afterwards."))],
            effects=_drafted(row),
            next_step=self.next_step % {"rail": provider_name(row.provider)},
            version=_version(row),
        )

    def act(self, row: Dispute, answer: Answer) -> str:
        self.send(dispute_id=row.id, actor=answer.actor, now=answer.now)
        return str(self.done % {"rail": provider_name(row.provider)})


class SubmitEvidence(SendDraft):
    """Answer the dispute with the draft."""

    name = "submit"
    label = gettext_lazy("Submit…")
    icon = "send"
    title = gettext_lazy("Submit the evidence for dispute %(dispute)s")
    button = gettext_lazy("Submit")
    next_step = gettext_lazy("%(rail)s passes it to the bank of the payer, which decides.")
    done = gettext_lazy("The evidence is on its way to %(rail)s.")
    send = staticmethod(dispute_answers.submit)

    def is_offered(self, row: Dispute) -> bool:
        return row.is_unanswered

    def hindrance(self, row: Dispute) -> str:
        if row.approval_id is not None:
            return _("Other people are asked whether to give this dispute up.")
        return super().hindrance(row)


class AppealDispute(SendDraft):
    """Have the provider look again at a dispute that was lost."""

    name = "appeal"
    label = gettext_lazy("Appeal…")
    icon = "gavel"
    title = gettext_lazy("Appeal the loss of dispute %(dispute)s")
    button = gettext_lazy("Appeal")
    next_step = gettext_lazy("%(rail)s looks at it again. Until it does, the money stays lost in the books.")
    done = gettext_lazy("The appeal is on its way to %(rail)s.")
    send = staticmethod(dispute_answers.appeal)

    def is_offered(self, row: Dispute) -> bool:
        return row.is_appealable


class AcceptDispute(Dialog):
    """Give the money up; over a limit other people decide first."""

    name = "accept"
    label = gettext_lazy("Give up…")
    icon = "flag"
    permission = ANSWER_DISPUTE
    steps_up = True
    is_danger = True
    form_class = ReasonForm

    def is_offered(self, row: Dispute) -> bool:
        return row.is_unanswered

    def hindrance(self, row: Dispute) -> str:
        return _("Other people have been asked already.") if row.approval_id is not None else ""

    def content(self, request: HttpRequest, rows: Sequence[Dispute]) -> Content:  # noqa: ARG002 (the row says all)
        [row] = rows
        rule = rules.matching(kind=DISPUTE_ACCEPTANCE.name, money=row.money, branch_id=row.branch_id)
        return Content(
            title=_("Give up dispute %(dispute)s") % {"dispute": row.ticket},
            button=_("Give %(amount)s up") % {"amount": row.money},
            money=row.money,
            notices=[others_decide()] if rule else [],
            effects=[Effect(_("The provider's fee"), row.fee)] if row.fee else [],
            next_step=_(
                "The payer keeps the money, and nothing can be said any more. It cannot be recalled."
            ),
            typed_money=row.money if rule else None,
            version=row.status,
        )

    def act(self, row: Dispute, answer: Answer) -> str:
        dispute = dispute_answers.accept(
            dispute_id=row.id, reason=answer.data["reason"], actor=answer.actor, now=answer.now
        )
        if dispute.approval_id is not None:
            return _("It waits for approval whether %(amount)s is given up.") % {"amount": row.money}
        return _("%(amount)s is given up.") % {"amount": row.money}
