"""Before which deeds a person proves himself again: every dialog and every form of both sites has its line here, written by hand."""

from importlib import import_module

import pytest
from django.conf import settings
from django.contrib import admin

from apps.kit.admin import ReadOnlyAdmin
from apps.kit.dialogs import Dialog
from treasury.platform.site import site as platform_site

STEPS_UP = {
    "apps.access.dialogs.keys.AllowNetworks": True,
    "apps.access.dialogs.team.Confirm": True,
    "apps.access.dialogs.team.RenewLink": True,
    "apps.access.dialogs.team.EndSessions": False,  # closes doors
    "apps.access.dialogs.team.TurnAway": False,  # closes doors
    "apps.access.dialogs.roles.AddRole": True,
    "apps.access.dialogs.roles.ChangeRole": True,
    "apps.access.dialogs.branches.ChooseBranchPolicy": True,
    "apps.payments.dialogs.policy.ChooseCollectionPolicy": True,
    "apps.payments.dialogs.routing.AddRoutingRule": True,
    "apps.payments.dialogs.routing.ChangeRoutingRule": True,
    "apps.payments.dialogs.routing.RetireRoutingRule": True,
    "apps.payments.dialogs.routing.TryRouting": False,  # changes nothing
    "apps.access.dialogs.branches.LinkBranch": True,
    "apps.access.dialogs.branches.UnlinkBranch": True,
    "apps.access.dialogs.team.ChooseSmallTeam": True,
    "apps.access.dialogs.roles.CopyRole": True,
    "apps.access.dialogs.roles.RetireRole": True,
    "apps.access.dialogs.keys.RevokeKey": True,
    "apps.access.dialogs.roles.SetLimits": True,
    "apps.access.dialogs.keys.RotateKey": True,
    "apps.approvals.dialogs.AddDelegation": True,
    "apps.approvals.dialogs.AddRule": True,
    "apps.approvals.dialogs.AmendRule": True,
    "apps.approvals.dialogs.Approve": True,
    "apps.approvals.dialogs.ApproveMany": True,
    "apps.approvals.dialogs.DeactivateRule": True,
    "apps.approvals.dialogs.Refuse": True,
    "apps.approvals.dialogs.ReplaceRule": True,
    "apps.approvals.dialogs.RevokeDelegation": False,  # stops money
    "apps.approvals.dialogs.Withdraw": False,  # stops money
    "apps.events.dialogs.DisableEndpoint": False,
    "apps.events.dialogs.EnableEndpoint": False,
    "apps.events.dialogs.Replay": False,
    "apps.events.dialogs.Requeue": False,
    "apps.events.dialogs.Skip": False,
    "apps.integrations.dialogs.accounts.AskBalance": False,  # moves nothing
    "apps.integrations.dialogs.accounts.CheckConnection": False,  # moves nothing
    "apps.integrations.dialogs.accounts.CloseCircuit": True,
    "apps.integrations.dialogs.accounts.DisableAccount": False,  # stops money
    "apps.integrations.dialogs.accounts.EnableAccount": True,
    "apps.disbursements.dialogs.accounts.AskAccount": False,  # moves nothing
    "apps.disbursements.dialogs.accounts.ConnectParty": False,  # moves nothing
    "apps.disbursements.dialogs.accounts.SendParty": False,  # moves nothing
    "apps.disbursements.dialogs.accounts.TransferTo": True,
    "apps.disbursements.dialogs.account_verdicts.CloseUnknownAccount": True,
    "apps.disbursements.dialogs.transfer_verdicts.CloseUnknownTransfer": True,
    "apps.disbursements.dialogs.transfers.ReverseTransfer": True,
    "apps.integrations.dialogs.accounts.OpenCircuit": False,  # stops money
    "apps.integrations.dialogs.error_rules.PutErrorRule": True,
    "apps.integrations.dialogs.accounts.RegisterAddresses": True,
    "apps.integrations.dialogs.callbacks.ReplayCallback": True,
    "apps.integrations.dialogs.callbacks.ReplayWaiting": True,
    "apps.integrations.dialogs.error_rules.RetireErrorRule": True,
    "apps.jobs.dialogs.ExportList": False,
    "apps.jobs.dialogs.StopJob": False,
    "apps.parties.dialogs.AddParty": False,
    "apps.parties.dialogs.ArchiveParty": False,
    "apps.parties.dialogs.ChangeParty": False,
    "apps.payments.dialogs.suspense.AssignMoney": True,
    "apps.payments.dialogs.suspense.ConfirmMoney": False,  # moves nothing
    "apps.payments.dialogs.suspense.GiveMoneyBack": True,
    "apps.payments.dialogs.disputes.AcceptDispute": True,
    "apps.payments.dialogs.disputes.AppealDispute": True,
    "apps.payments.dialogs.disputes.AttachFile": False,
    "apps.payments.dialogs.disputes.DetachFile": False,
    "apps.payments.dialogs.disputes.SubmitEvidence": True,
    "apps.payments.dialogs.disputes.WriteEvidence": False,
    "apps.payments.dialogs.refunds.RefundPayment": True,
    "apps.payments.dialogs.suspense.GiveLateMoneyBack": True,
    "apps.payments.dialogs.suspense.HandMoneyOver": False,  # moves nothing
    "apps.payments.dialogs.suspense.TakeMoneyOver": False,  # moves nothing
    "apps.payments.dialogs.captures.CapturePayment": True,
    "apps.payments.dialogs.payments.AskPayment": False,  # moves nothing
    "apps.payments.dialogs.payments.CancelPayment": False,  # stops money
    "apps.payments.dialogs.payments.VerifyPayment": True,
    "apps.payments.dialogs.payment_verdicts.CloseUnknownPayment": True,
    "apps.payments.dialogs.refund_verdicts.CloseUnknownRefund": True,
    "apps.payments.dialogs.refunds.VerifyRefund": True,
    "apps.payments.dialogs.listed_movements.PutMovementAway": True,
    "apps.payments.dialogs.saved_methods.ForgetMethod": False,  # stops money
    "apps.payments.dialogs.reviews.AcceptReview": True,
    "apps.payments.dialogs.reviews.CloseReview": True,
    "apps.portal.pages.audit.ExportAudit": False,
    "apps.portal.pages.application_dialogs.AcceptLink": True,
    "apps.portal.pages.grant_dialogs.AgreeChange": True,
    "apps.portal.pages.grant_dialogs.ChangeGrant": True,
    "apps.portal.pages.grant_dialogs.RefuseChange": False,  # gives nothing
    "apps.portal.pages.application_dialogs.MakeInvite": True,
    "apps.portal.pages.application_dialogs.RefuseLink": False,  # closes doors
    "apps.portal.pages.application_dialogs.RevokeLink": False,  # closes doors
    "apps.portal.pages.application_dialogs.WithdrawInvite": False,  # closes doors
    "apps.portal.pages.book_dialogs.OpenYear": False,
    "apps.portal.pages.book_dialogs.SetLateItems": False,
    "apps.portal.pages.ledger_downloads.DownloadStatement": False,
    "apps.portal.pages.lists.ChooseColumns": False,
    "apps.portal.pages.lists.DeleteView": False,
    "apps.portal.pages.lists.SaveView": False,
    "apps.portal.pages.organisation.RemoveLogo": False,
    "apps.portal.pages.organisation.SetBranding": True,
    "apps.portal.pages.organisation.SetFiscalYear": False,
    "apps.portal.pages.organisation.SetLogo": False,
    "apps.portal.pages.organisation.SetRegion": False,
    "apps.portal.pages.period_dialogs.Announce": False,
    "apps.portal.pages.period_dialogs.Close": True,
    "apps.portal.pages.period_dialogs.Reopen": True,
    "apps.portal.pages.period_dialogs.Resume": False,  # goes on with a close that was agreed to
    "apps.portal.pages.period_dialogs.SignOff": False,
    "apps.portal.pages.period_dialogs.TakeBack": False,
    "apps.portal.pages.rates.RecordRate": False,  # one that is far off waits for an approval
    "apps.portal.pages.reports.Download": False,
    "apps.portal.pages.revaluations.Revalue": True,
    "apps.portal.pages.transactions.Reverse": True,
    "treasury.platform.application_dialogs.AcceptApplication": True,
    "treasury.platform.application_dialogs.AgreeToOrganisation": True,
    "treasury.platform.application_dialogs.RefuseApplication": True,
    "treasury.platform.application_dialogs.RefuseOrganisation": True,
    "treasury.platform.application_dialogs.ResumeApplication": True,
    "treasury.platform.application_dialogs.SuspendApplication": True,
    "treasury.platform.dialogs.DeactivatePerson": True,
    "treasury.platform.dialogs.EndSessions": True,
    "treasury.platform.dialogs.LiftLockOut": True,
    "treasury.platform.dialogs.RenewEntryLink": True,
    "treasury.platform.dialogs.RequireSecondFactor": True,
    "treasury.platform.dialogs.ResetSecondFactor": True,
    "treasury.platform.dialogs.TakeOver": True,
    "treasury.platform.dialogs.WaiveSecondFactor": True,
    "treasury.platform.end_dialogs.CallOffEnd": True,
    "treasury.platform.end_dialogs.DownloadArchive": True,
    "treasury.platform.end_dialogs.EndOrganisation": True,
    "treasury.platform.organisation_dialogs.OpenOrganisation": True,
    "treasury.platform.organisation_dialogs.ResumeOrganisation": True,
    "treasury.platform.organisation_dialogs.LimitRequests": True,
    "treasury.platform.organisation_dialogs.SuspendOrganisation": True,
    "treasury.platform.organisation_dialogs.TryAgain": True,
}
FORMS_STEP_UP = {
    "apps.access.admin.applications.ApplicationAdmin": False,
    "apps.access.admin.branches.BranchAdmin": False,
    "apps.access.admin.keys.ApiKeyAdmin": True,
    "apps.access.admin.team.MembershipAdmin": True,
    "apps.integrations.admin.accounts.ProviderAccountAdmin": True,
}


def named(kind: type) -> str:
    return f"{kind.__module__}.{kind.__name__}"


def dialogs(kind: type[Dialog] = Dialog) -> set[type[Dialog]]:
    """Return the dialogs of the product that have an address; its addresses define them."""
    for name in (settings.ROOT_URLCONF, settings.PUBLIC_SCHEMA_URLCONF):
        import_module(name)
    found = {sub for direct in kind.__subclasses__() for sub in {direct, *dialogs(direct)}}
    return {
        one for one in found if hasattr(one, "name") and one.__module__.startswith(("apps.", "treasury."))
    }


def test_every_dialog_is_in_the_table_and_does_as_it_says():
    assert {named(kind): kind.steps_up for kind in dialogs()} == STEPS_UP


def test_every_form_is_in_the_table_and_does_as_it_says():
    admins = [one for site in (admin.site, platform_site) for one in site._registry.values()]
    saving = [one for one in admins if not isinstance(one, ReadOnlyAdmin)]

    assert {named(type(one)): one.steps_up for one in saving} == FORMS_STEP_UP


@pytest.mark.parametrize(
    "permission", ["approvals.decide", "payments.refund", "keys.manage", "platform.manage"]
)
def test_what_decides_over_money_or_doors_steps_up_throughout(permission):
    assert [named(kind) for kind in dialogs() if kind.permission == permission and not kind.steps_up] == []
