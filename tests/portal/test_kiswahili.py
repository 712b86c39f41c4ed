"""The portal in Kiswahili: no text of the catalogue is left in English on a page, and templates hold no text of their own."""

import re
from html import unescape

import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.urls import reverse

from script.devkit.catalogue import ROOT
from tests.portal.test_pages import addresses

UNSEEN = re.compile(r"<(script|style|svg|code|pre|template)\b.*?</\1>", re.DOTALL)
TAG = re.compile(r"<[^>]+>")
SAID = re.compile(r"""\b(?:aria-label|title|placeholder|alt)="([^"]*)""")
COMMENT = re.compile(
    r"{#.*?#}|{% block bodyclass %}.*?{% endblock %}|{% comment %}.*?{% endcomment %}", re.DOTALL
)
TRANSLATED = re.compile(r"{% blocktranslate\b.*?{% endblocktranslate %}", re.DOTALL)
ICON = re.compile(r"""<span class="[^"]*(?:t-i|material-symbols-outlined)\b[^"]*"[^>]*>[^<]*</span>""")
INSERTED = re.compile(r"{%.*?%}|{{.*?}}", re.DOTALL)
WORD = re.compile(r"[A-Za-z]{2,}")
NAMES = {"Treasury", "PDF", "SHA-256", "Ctrl", "Ctrl K", "Esc", "Enter"}
LISTS = (
    "access_apikey",
    "access_application",
    "access_branch",
    "access_membership",
    "access_role",
    "approvals_approvalrule",
    "events_eventdelivery",
    "events_webhookendpoint",
    "integrations_provideraccount",
    "integrations_providercall",
    "integrations_providercallback",
    "jobs_job",
    "payments_paymentintent",
    "payments_refund",
)
OURS = [
    path
    for folder in ("access", "admin", "portal", "unfold")
    for path in sorted((ROOT / "templates" / folder).rglob("*.html"))
]


def english() -> set[str]:
    """Return the texts of two words and more that Kiswahili says in another way."""
    with (settings.BASE_DIR / "locale/sw/LC_MESSAGES/django.po").open("rb") as source:
        catalogue = read_po(source, locale="sw")
    return {
        message.id
        for message in catalogue
        if isinstance(message.id, str)
        and " " in message.id.strip()
        and message.id != message.string
        and not re.search(r"[%{]", message.id)
    }


def visible(html: str) -> str:
    """Return what people see of a page or have read to them, one text a line."""
    seen = UNSEEN.sub("\n", html)
    return unescape("\n".join([*(part.strip() for part in TAG.split(seen)), *SAID.findall(seen)]))


@pytest.fixture
def texts() -> set[str]:
    return english()


def left_in_english(html: str, texts: set[str]) -> set[str]:
    lines = {" ".join(line.split()) for line in visible(html).splitlines()}
    return lines & texts


def test_pages_leave_no_text_of_the_catalogue_in_english(story, enter, texts):
    client = enter("owner")
    client.cookies["django_language"] = "sw"
    pages = [address for name, address in addresses(story).items() if not name.endswith("pdf")]
    pages += [reverse("portal-approvals"), reverse("admin:second_factor_manage")]
    pages += [reverse(f"admin:{name}_changelist") for name in LISTS]

    left = {page: left_in_english(client.get(page, follow=True).text, texts) for page in pages}

    assert {page: found for page, found in left.items() if found} == {}


@pytest.mark.parametrize("path", OURS, ids=lambda path: "/".join(path.parts[-2:]))
def test_templates_hold_no_text_of_their_own(path):
    source = UNSEEN.sub("\n", TRANSLATED.sub("\n", COMMENT.sub("", path.read_text(encoding="utf-8"))))
    seen = ICON.sub("\n", source)

    said = [INSERTED.sub("\n", attribute) for attribute in SAID.findall(seen)]
    lines = [*TAG.sub("\n", INSERTED.sub("\n", seen)).splitlines(), *said]

    assert {line.strip() for line in lines if WORD.search(line)} - NAMES == set()
