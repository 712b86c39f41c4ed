"""Each system check of ours finds the breach that it exists for, and finds none in the product."""

from collections.abc import Iterator

import pytest
from celery import current_app
from django.contrib import admin
from django.core.checks import run_checks
from django.db import models
from django.test.utils import isolate_apps
from unfold.admin import ModelAdmin

from apps.events.contracts import REGISTRY, Audience, EventType
from apps.events.models import OutboxEvent
from apps.integrations.ports import StatusPort
from apps.integrations.services import providers
from apps.kit.admin import ReadOnlyAdmin
from apps.kit.dialogs import Dialog
from apps.kit.models import CurrencyField, MinorField
from apps.payments import subscribers
from apps.payments.models import PaymentIntent
from apps.payments.services import callbacks
from treasury import checks

PLANTED = "tests.architecture.planted"


def ids_and_words(found: list) -> list[tuple[str, str]]:
    return [(error.id, error.msg) for error in found]


def test_the_product_breaks_none():
    ours = [error for error in run_checks() if error.id and error.id.startswith("treasury.")]

    assert ids_and_words(ours) == []


@pytest.mark.parametrize("sides", [0, 2])
def test_e001_finds_an_app_on_no_side_or_on_both(settings, sides):
    settings.TENANT_APPS = [name for name in settings.TENANT_APPS if name != "apps.ledger"]
    settings.SHARED_APPS = [name for name in settings.SHARED_APPS if name != "apps.ledger"]
    if sides:
        settings.TENANT_APPS = [*settings.TENANT_APPS, "apps.ledger"]
        settings.SHARED_APPS = [*settings.SHARED_APPS, "apps.ledger"]

    assert ids_and_words(checks.every_app_has_one_side()) == [
        ("treasury.E001", "apps.ledger must be in exactly one of SHARED_APPS and TENANT_APPS.")
    ]


@pytest.mark.parametrize(
    ("wiring", "words"),
    [
        ("NOT_THERE", "subscribers.not_there does not import"),
        ("NOT_A_SUBSCRIBER", "callbacks.apply is no subscriber that takes (event)"),
        ("NOT_FOR_SEVERAL", "apply_callback is no subscriber that takes (events)"),
    ],
)
def test_e002_finds_a_handler_that_is_no_subscriber(settings, wiring, words):
    settings.EVENT_WIRING = f"{PLANTED}.{wiring}"

    [(number, message)] = ids_and_words(checks.every_handler_is_a_subscriber())

    assert number == "treasury.E002"
    assert words in message


def test_e002_finds_a_handler_that_wants_more_than_the_event(settings, monkeypatch):
    settings.EVENT_WIRING = f"{PLANTED}.REAL_HANDLER"
    monkeypatch.setattr(subscribers, "apply_callback", callbacks.apply)

    [(number, message)] = ids_and_words(checks.every_handler_is_a_subscriber())

    assert number == "treasury.E002"
    assert "is no subscriber that takes (event)" in message


def test_e003_finds_a_wired_event_that_no_app_declares(settings):
    settings.EVENT_WIRING = f"{PLANTED}.NOT_DECLARED"

    assert ids_and_words(checks.every_wired_event_is_declared()) == [
        ("treasury.E003", "payment_teleported is wired but no app declares it.")
    ]


def test_e003_finds_an_event_without_a_schema(monkeypatch):
    bare = EventType("payment_hinted", "treasury.payment.hinted", Audience.PARTNER, 1, {"type": "object"})
    monkeypatch.setitem(REGISTRY, "payment_hinted", bare)

    assert ids_and_words(checks.every_wired_event_is_declared()) == [
        ("treasury.E003", "payment_hinted has no schema.")
    ]


def test_e004_finds_a_shared_model_that_points_to_an_organisation(settings):
    settings.SHARED_APPS = [*settings.SHARED_APPS, "apps.invoicing"]

    found = ids_and_words(checks.shared_never_points_to_tenant())

    assert (
        "treasury.E004",
        "invoicing.Document.intent leads from shared to payments.PaymentIntent.",
    ) in found


def test_e005_finds_an_action_without_a_scope(settings):
    settings.ROOT_URLCONF = PLANTED

    assert ids_and_words(checks.every_action_declares_its_scope()) == [
        ("treasury.E005", "Unscoped.list declares no required scope.")
    ]


@pytest.mark.parametrize("model", [OutboxEvent, PaymentIntent])
def test_e006_finds_an_edit_form_over_facts(monkeypatch, model):
    class EditForm(ModelAdmin):
        pass

    monkeypatch.setitem(admin.site._registry, model, EditForm(model, admin.site))

    assert ids_and_words(checks.facts_are_read_only()) == [
        ("treasury.E006", "EditForm must derive from kit.admin.ReadOnlyAdmin.")
    ]


@pytest.fixture
def plant_task() -> Iterator:
    planted = []

    def plant(name: str, **options: str) -> None:
        def work() -> None: ...

        work.__module__ = "apps.payments.tasks"
        planted.append(current_app.task(work, name=name, **options).name)

    yield plant
    for name in planted:
        current_app.tasks.pop(name)


@pytest.mark.parametrize("name", ["work_hard", "payments.work_hard"])
def test_e007_finds_a_task_without_its_name_or_queue(plant_task, name):
    plant_task(name)

    assert ids_and_words(checks.every_task_has_name_and_queue()) == [
        (
            "treasury.E007",
            f"the task {name} in apps.payments.tasks needs a name 'payments.…' and a queue in CELERY_TASK_ROUTES.",
        )
    ]


def test_e008_finds_a_provider_that_claims_too_much(monkeypatch):
    class Half:
        def request_status(self, request: object) -> None: ...

        def read_refund(self, payload: object) -> None: ...

    monkeypatch.setattr(providers, "PORTS", {"mpesa": {StatusPort: Half}})

    assert ids_and_words(checks.every_provider_keeps_its_promise()) == [
        ("treasury.E008", "mpesa: Half lacks read_result of StatusPort.")
    ]


def planted_model(name: str, **fields: models.Field) -> type[models.Model]:
    meta = type("Meta", (), {"app_label": "payments"})
    return type(name, (models.Model,), {"__module__": __name__, "Meta": meta, **fields})


@isolate_apps("apps.payments")
def test_e009_finds_an_amount_without_a_currency(monkeypatch):
    bare = planted_model("Bare", amount_minor=MinorField())
    whole = planted_model("Whole", amount_minor=MinorField(), currency=CurrencyField())
    parent = models.ForeignKey(whole, on_delete=models.PROTECT, related_name="+")
    part = planted_model("Part", share_minor=MinorField(), whole=parent)
    monkeypatch.setattr(checks, "_our_models", lambda: iter([bare, whole, part]))

    assert ids_and_words(checks.every_amount_has_its_currency()) == [
        ("treasury.E009", "payments.Bare: amount_minor without a currency.")
    ]


PORTAL = "from apps.payments.services import intents\n\n\ndef act():\n    intents.cancel()\n"


@pytest.fixture
def source_tree(settings, tmp_path):
    """A product of one app whose portal cancels payments; returns the folder of that app."""
    settings.BASE_DIR = tmp_path
    app = tmp_path / "apps" / "payments"
    (app / "api").mkdir(parents=True)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "portal-only.md").write_text("# What only the portal does\n")
    (app / "admin.py").write_text(PORTAL)
    return app


def test_e010_finds_what_only_the_portal_can_do(source_tree):
    [(number, message)] = ids_and_words(checks.every_portal_action_has_an_endpoint())

    assert number == "treasury.E010"
    assert message.startswith("apps.payments: the portal calls intents.cancel, no endpoint does;")


def test_e010_is_content_with_an_endpoint(source_tree):
    (source_tree / "api" / "views.py").write_text(PORTAL)

    assert checks.every_portal_action_has_an_endpoint() == []


def test_e010_is_content_with_a_reason(source_tree):
    (source_tree.parent.parent / "docs" / "portal-only.md").write_text("| `intents.cancel` | a reason |\n")

    assert checks.every_portal_action_has_an_endpoint() == []


@pytest.mark.parametrize("name", ["actions", "actions_detail", "actions_row"])
def test_e011_finds_an_action_that_does_not_ask(monkeypatch, name):
    class Hasty(ReadOnlyAdmin):
        def approve(self, request: object, queryset: object) -> None: ...

    Hasty.__module__ = "apps.payments.admin"
    setattr(Hasty, name, ["approve"])
    monkeypatch.setitem(admin.site._registry, PaymentIntent, Hasty(PaymentIntent, admin.site))

    assert ids_and_words(checks.every_portal_action_asks_first()) == [
        ("treasury.E011", f"Hasty: {name} act without asking; use dialogs of kit.dialogs.")
    ]


def test_e011_finds_a_dialog_that_anybody_may_send(monkeypatch):
    class Open(Dialog):
        name = "open"
        label = "Open…"

    class Careless(ReadOnlyAdmin):
        dialogs = [Open]

    Careless.__module__ = "apps.payments.admin"
    monkeypatch.setitem(admin.site._registry, PaymentIntent, Careless(PaymentIntent, admin.site))

    assert ids_and_words(checks.every_portal_action_asks_first()) == [
        ("treasury.E011", "Careless: Open needs a name, a label and a permission.")
    ]
