"""A partner at the ledger's API: a key of an application, its parties and their accounts."""

import json
from itertools import count

from django.db import connection
from django.test import Client

from apps.kit import ids
from tests.factories import access, parties

_keys = count(1)


class Partner:
    """Calls the ledger's API as one key of one application."""

    def __init__(self, slug="acme", **chosen):
        self.slug = slug
        self.organisation = connection.tenant
        self.headers = access.bearer(access.issued(**chosen).secret)

    def get(self, path, **query):
        return self.inside(Client().get(f"/v1/{self.slug}/ledger/{path}", query, headers=self.headers))

    def take(self, path, status=200):
        """Return the bytes of what lies outside the ledger: a job, or the file of one."""
        answer = self.inside(Client().get(f"/v1/{self.slug}/{path}", headers=self.headers))
        assert answer.status_code == status, answer
        return answer.getvalue()

    def post(self, path, body=None, **headers):
        answer = Client().post(
            f"/v1/{self.slug}/ledger/{path}",
            json.dumps({} if body is None else body),
            content_type="application/json",
            headers={"Idempotency-Key": f"ledger-{next(_keys)}", **self.headers, **headers},
        )
        return self.inside(answer)

    def inside(self, answer):
        """Enter the organisation again, which a request leaves behind it."""
        connection.set_tenant(self.organisation)
        return answer


def party(**facts):
    return ids.encode("pty", parties.party(**facts).id)


def kes(amount):
    return {"amount": amount, "currency": "KES"}


def leg(direction, role, owner, amount="10.00", **facts):
    """Write a leg on an account of a party; an amount that is no text goes as it is."""
    money = kes(amount) if isinstance(amount, str) else amount
    return {"direction": direction, "role": role, "owner_id": owner, "amount": money, **facts}


def transfer(merchant, rider, amount="10.00", **facts):
    """Write a transaction that pays a rider out of what is owed to a merchant."""
    legs = [
        leg("debit", "merchant_payable", merchant, amount),
        leg("credit", "rider_payable", rider, amount),
    ]
    return {"description": "Delivery, order 17", "legs": legs, **facts}
