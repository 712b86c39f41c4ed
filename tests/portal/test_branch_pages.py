"""Branch pages: the tree with who is bound to it and what it holds, as far as the reader sees."""

import re

from django.urls import reverse

from apps.access.models import BranchExternalId
from apps.access.services import branches
from apps.kit.actors import SYSTEM
from tests import dialogs
from tests.factories import access, parties
from tests.factories.access import NOW


def page(client):
    answer = client.get(reverse("portal-branches"))
    assert answer.status_code == 200
    return answer.content.decode()


def rows(html):
    return [
        re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).strip()
        for row in re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)
    ]


def test_shows_the_tree_with_people_parties_and_accounts(enter, in_organisation):
    client = enter("owner")
    office, coast = access.head_office(), access.branch()
    branches.create(code="BEACH", name="Beach", parent_id=coast.id, actor=SYSTEM, now=NOW)
    for number in range(5):
        access.member("approver", f"p{number}@example.test", (coast,))
    parties.party(branch_id=coast.id)

    html = page(client)

    table = rows(html)
    assert [row.split()[0] for row in table[1:]] == [office.name.split()[0], coast.name.split()[0], "Beach"]
    assert "P0, P1, P2 and 2 more" in table[2]
    assert table[2].rstrip().endswith(f"1 0 Add below {coast.name}")
    assert 'data-level="2"' in html
    assert f"?parent={coast.id}" in html
    assert "Who works for some branches sees: " in html
    assert "1 person works for all branches." in html


def test_who_sees_some_branches_sees_those_and_who_changes_none_gets_no_buttons(enter, in_organisation):
    client = enter("owner")
    coast = access.branch()
    in_organisation("acme")
    bound = enter("auditor", email="far@example.test", branches=(coast,))

    html = page(bound)

    assert [row.split()[0] for row in rows(html)[1:]] == [coast.name.split()[0]]
    assert "Add below" not in html
    assert "Who sees which" not in html
    assert "Add below" in page(client)


def test_people_link_a_branch_to_an_application_and_unlink_it_on_its_page(enter, in_organisation):
    client = enter("owner")
    coast, shop, portal = access.branch(), access.application(), access.portal()
    address = reverse("admin:access_branch_change", args=[coast.id])
    link, unlink = (reverse(f"admin:access_branch_{name}", args=[coast.id]) for name in ("link", "unlink"))
    before = client.get(address).content.decode()

    dialogs.send(client, link, application=shop.id, external_id="C-9")
    linked = client.get(address).content.decode()
    offered = dialogs.open_at(client, link).content.decode()
    refused = dialogs.send(client, link, application=portal.id, external_id="C-9")
    dialogs.send(client, unlink, application=shop.id)

    assert "No application" in before
    assert unlink not in before
    assert "C-9" in linked
    assert "was linked to it" in linked
    assert unlink in linked
    assert str(shop.id) not in offered
    assert "Select a valid choice" in refused.content.decode()
    in_organisation("acme")
    assert not BranchExternalId.objects.exists()
