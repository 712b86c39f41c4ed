"""Dialogs that ask before they act: what opens them, what sends them, and what is refused with nothing done."""

import re
from types import SimpleNamespace

import pytest
from django import forms
from django.contrib import admin
from django.contrib.messages.storage.cookie import CookieStorage
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.access.forms import NetworksField
from apps.access.models import ApiKey
from apps.access.services import api_keys
from apps.kit import dialogs, errors, ids, typed_cards
from apps.kit.dialogs import Content, Dialog, Effect, Notice, ReasonForm
from apps.kit.money import Money
from tests.dialogs import hidden, open_at, send
from tests.factories import access
from tests.portal.conftest import HOST

BATCH = SimpleNamespace(pk=117)
MONEY = Money(1_842_300_00, "KES")
CARD = "4242424242424242"
WRITES = re.compile(r"^\s*(INSERT|UPDATE|DELETE)\b", re.IGNORECASE)


class Approve(Dialog):
    """A deed over money that keeps what it was asked to do."""

    name = "approve"
    label = "Approve…"
    permission = "payouts.approve"
    form_class = ReasonForm

    def __init__(self):
        self.done, self.refusal, self.available, self.state = [], None, 3_882_406_00, "WAITING"

    def is_offered(self, row):  # noqa: ARG002 (one row)
        return self.state == "WAITING"

    def content(self, request, rows):  # noqa: ARG002 (one row)
        available = Money(self.available, "KES")
        return Content(
            title="Approve payout batch PB-2026-0117",
            button="Approve KES 1,842,300.00",
            money=MONEY,
            notices=[Notice("Bank account changed 2 days ago", "Call the number on file.", tone="failed")],
            effects=[
                Effect("Available before", available, is_live=True),
                Effect("This batch", -MONEY),
                Effect("Available after", available - MONEY, is_result=True, is_live=True),
            ],
            next_step="It leaves at 11:00 and cannot be recalled after that.",
            typed_money=MONEY,
        )

    def act(self, row, answer):
        if self.refusal:
            raise self.refusal
        self.done.append((row.pk, answer.data["reason"], answer.nonce, str(answer.actor)))
        return f"{row.pk}: approved."


@pytest.fixture
def approve(acme):
    return Approve()


@pytest.fixture
def ask(acme, approve):
    """Return a function that opens (GET) or sends (POST) the planted dialog about batch 117."""

    def asked(method="get", *, may=True, rows=(BATCH,), headers=None, **fields):
        request = getattr(RequestFactory(), method)("/portal/batches/117/do/approve/", fields)
        request.META |= {"HTTP_HX_REQUEST": "true", "HTTP_HOST": HOST, **(headers or {})}
        request.user = SimpleNamespace(pk=7, has_perm=lambda name: may and name == "payouts.approve")
        request._messages = CookieStorage(request)
        return dialogs.respond(request, approve, list(rows), fallback="/portal/batches/")

    return asked


FILLED = {"reason": "Agreed with Mavuno", "typed_money": "1,842,300.00"}


def test_opening_says_everything_and_does_nothing(ask, approve):
    html = ask().content.decode()

    for word in (
        "Approve payout batch PB-2026-0117",
        "1,842,300<span",
        "Bank account changed 2 days ago",
        "2,040,106.00",
        "cannot be recalled",
        "Approve KES 1,842,300.00",
        'name="csrfmiddlewaretoken"',
        'data-typed="1842300.00"',
    ):
        assert word in html
    assert approve.done == []


def test_sending_acts_once_and_leads_back_to_the_page_behind(ask, approve):
    opened = hidden(ask())

    answer = ask(
        "post", **FILLED, **opened, headers={"HTTP_HX_CURRENT_URL": f"http://{HOST}/portal/batches/?p=1"}
    )

    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"] == "/portal/batches/?p=1"
    [(pk, reason, nonce, actor)] = approve.done
    assert (pk, reason, str(nonce), actor) == (117, "Agreed with Mavuno", opened["nonce"], "user:7")


@pytest.mark.parametrize("behind", ["https://evil.example/x", f"http://{HOST}//evil.example/x", ""])
def test_a_page_of_another_host_is_never_gone_back_to(ask, behind):
    answer = ask("post", **FILLED, **hidden(ask()), headers={"HTTP_HX_CURRENT_URL": behind})

    assert answer.headers["HX-Redirect"] == "/portal/batches/"


@pytest.mark.parametrize("typed", ["1842300", "1 842 300", "1,842,300.0", "KES 1,842,300.00"])
def test_the_amount_may_be_typed_as_people_write_it(ask, approve, typed):
    ask("post", **{**FILLED, "typed_money": typed}, **hidden(ask()))

    assert len(approve.done) == 1


@pytest.mark.parametrize("typed", ["", "184230", "1842300.01", "a lot", "-1842300"])
def test_a_wrong_amount_is_refused_beside_its_field(ask, approve, typed):
    answer = ask("post", **{**FILLED, "typed_money": typed}, **hidden(ask()))

    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.content.decode()
    assert approve.done == []


@pytest.mark.parametrize("typed", ["Card 4242 4242 4242 4242", "378282246310005", "5555-5555-5555-4444"])
def test_the_number_of_a_card_is_refused_beside_its_field(ask, approve, typed):
    answer = ask("post", **{**FILLED, "reason": typed}, **hidden(ask()))
    html = answer.content.decode()

    assert answer.status_code == 422
    assert re.search(r'id="wrong_reason">\s*This holds the number of a card\. Cards are typed', html)
    assert approve.done == []


def test_what_only_looks_like_one_passes(ask, approve):
    ask("post", **{**FILLED, "reason": "Agreed on 4242 4242 4242 4241"}, **hidden(ask()))

    assert len(approve.done) == 1


class Typed(forms.Form):
    """One field of each sort."""

    note = forms.CharField()
    email = forms.EmailField(required=False)
    lines = NetworksField()
    phone = forms.CharField(required=False)
    consumer_secret = forms.CharField(required=False, widget=forms.PasswordInput)
    amount = forms.CharField(required=False, widget=forms.TextInput(attrs={"inputmode": "decimal"}))
    typed_text = dialogs.TypedText(CARD)
    count = forms.IntegerField()


def test_only_texts_that_are_kept_are_looked_at():
    none_of_these = {
        "phone": CARD,
        "consumer_secret": CARD,
        "amount": CARD,
        "typed_text": CARD,
        "count": CARD,
    }
    fine = Typed({"note": "x", **none_of_these})
    wrong = Typed({**none_of_these, "note": CARD, "email": f"{CARD}@example.test", "lines": f"::1\n{CARD}"})

    assert (fine.is_valid(), typed_cards.refuse(fine)) == (True, True)
    assert (wrong.is_valid(), typed_cards.refuse(wrong)) == (True, False)
    assert set(wrong.errors) == {"note", "email", "lines"}


def test_what_changed_since_it_was_opened_is_not_done(ask, approve, monkeypatch):
    opened = hidden(ask())
    larger = Money(1_942_300_00, "KES")
    monkeypatch.setattr("tests.portal.test_dialogs.MONEY", larger)

    answer = ask("post", **FILLED, **opened)

    assert answer.status_code == 409
    assert "It has changed since you opened it" in answer.content.decode()
    assert hidden(answer)["shown"] != opened["shown"]
    assert hidden(answer)["nonce"] == opened["nonce"]
    assert approve.done == []


def test_a_balance_that_moves_by_itself_is_no_change(ask, approve):
    opened = hidden(ask())
    approve.available += 12_338_00

    ask("post", **FILLED, **opened)

    assert len(approve.done) == 1


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_permission_is_asked_both_times(ask, approve, method):
    opened = hidden(ask())

    answer = ask(method, may=False, **(FILLED | opened if method == "post" else {}))

    assert answer.status_code == 403
    assert "data-dialog" in answer.content.decode()
    assert approve.done == []


def test_a_row_in_another_state_by_now_is_told(ask, approve):
    opened = hidden(ask())
    approve.state = "APPROVED"

    answer = ask("post", **FILLED, **opened)

    assert answer.status_code == 409
    assert approve.done == []


def test_a_refusal_stands_beside_the_field_that_it_is_about(ask, approve):
    wrong = errors.FieldError("/reason", "reason_poor", "Name who agreed.")
    approve.refusal = errors.Invalid("Not valid", errors=[wrong])

    answer = ask("post", **FILLED, **hidden(ask()))
    html = answer.content.decode()

    assert answer.status_code == 422
    assert re.search(r'id="wrong_reason">\s*Name who agreed\.', html)


def test_a_refusal_about_no_field_stands_at_the_top(ask, approve):
    approve.refusal = errors.Forbidden("You asked for this payout, so another person approves it.")

    answer = ask("post", **FILLED, **hidden(ask()))

    assert answer.status_code == 403
    assert "another person approves it" in answer.content.decode()


def test_no_more_than_fifty_at_once(ask):
    rows = [SimpleNamespace(pk=number) for number in range(51)]

    assert ask(rows=rows).status_code == 422


def test_of_several_the_refused_are_told_and_the_others_done(ask, approve):
    rows = [SimpleNamespace(pk=1), SimpleNamespace(pk=2)]
    opened = hidden(ask(rows=rows))
    act, refusal = approve.act, errors.DomainError("It is paid already.")

    def first_is_refused(row, answer):
        if row.pk == 1:
            raise refusal
        return act(row, answer)

    approve.act = first_is_refused

    assert ask("post", rows=rows, **FILLED, **opened).status_code == 204
    assert [pk for pk, *_rest in approve.done] == [2]


@pytest.fixture
def key(acme) -> ApiKey:
    access.head_office()
    return access.api_key()


def address(key: ApiKey) -> str:
    return reverse("admin:access_apikey_revoke", args=[key.id])


def test_key_is_revoked_when_its_name_is_typed(key, enter, in_organisation):
    client = enter("developer")
    url = address(key)

    assert send(client, url, typed_text="another").status_code == 422
    in_organisation("acme")
    key.refresh_from_db()
    assert key.revoked_at is None

    assert send(client, url, typed_text=key.name).status_code == 204
    in_organisation("acme")
    key.refresh_from_db()
    assert key.revoked_at is not None


def test_a_dialog_without_its_token_is_refused(key, enter, in_organisation):
    enter("developer")
    client = Client(headers={"host": HOST}, enforce_csrf_checks=True)
    assert client.login(username="amina@example.test", password=access.PASSWORD)
    form = {**hidden(open_at(client, address(key))), "typed_text": key.name}
    client.cookies.pop("csrftoken", None)

    assert client.post(address(key), form).status_code == 403
    in_organisation("acme")
    key.refresh_from_db()
    assert key.revoked_at is None


def test_a_key_that_was_revoked_in_the_meantime_is_not_revoked_again(key, enter, in_organisation):
    client = enter("developer")
    form = {**hidden(open_at(client, address(key))), "typed_text": key.name}
    in_organisation("acme")
    api_keys.revoke(key_id=key.id, actor=dialogs.person(1), now=key.created_at)

    answer = client.post(address(key), form)

    assert answer.status_code == 409


def test_a_stranger_and_a_branch_that_may_not_see_it_open_nothing(key, enter, in_organisation):
    assert Client(headers={"host": HOST}).get(address(key)).status_code == 302
    in_organisation("acme")
    clerk = enter("developer", email="cbd@example.test", branches=(access.branch("CBD", "City"),))

    assert open_at(clerk, address(key)).status_code == 409
    assert open_at(clerk, reverse("admin:access_apikey_revoke", args=[ids.new()])).status_code == 409


def test_the_list_and_the_page_offer_the_dialog_and_no_link_that_acts(key, enter):
    client = enter("developer")

    for url in ("/portal/access/apikey/", f"/portal/access/apikey/{key.id}/change/"):
        html = client.get(url).content.decode()

        assert f'hx-get="{address(key)}"' in html
        assert f'href="{address(key)}"' not in html


def test_without_the_permission_nothing_is_offered(key, enter):
    html = enter("auditor").get("/portal/access/apikey/").content.decode()

    assert "do/revoke" not in html
    assert "action-select" not in html


def test_by_itself_a_dialog_is_a_page_in_the_organisations_dress(key, enter):
    html = enter("developer").get(address(key)).content.decode()

    assert "<title>" in html
    assert "--color-primary-600" in html


def test_opening_any_page_list_or_dialog_writes_nothing(story, enter, in_organisation):
    client = enter("owner")
    client.get("/portal/")
    opened = 0

    for model, model_admin in admin.site._registry.items():
        names = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        urls = [reverse(f"{names}_changelist")]
        in_organisation("acme")
        row = model._default_manager.first()
        if row is not None:
            urls.append(reverse(f"{names}_change", args=[row.pk]))
            urls += [
                reverse(f"{names}_{kind.name}", args=[row.pk])
                for kind in getattr(model_admin, "dialogs", ())
                if not kind.on_list
            ]
        for url in urls:
            with CaptureQueriesContext(connection) as captured:
                client.get(url)
            opened += 1
            assert [query["sql"] for query in captured if WRITES.match(query["sql"])] == [], url

    assert opened > 20
