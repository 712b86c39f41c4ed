"""A partner of the payments API, who calls it as one key of one application, and what he is refused."""

import json
from itertools import count

from django.db import connection
from django.test import Client

from tests.factories import access

BODY = {
    "amount": {"amount": "1500.00", "currency": "KES"},
    "method": "mpesa",
    "payer": {"phone": "0712345678", "name": "Njeri Kamau"},
    "reference": "ORD-1",
    "description": "Lunch",
    "metadata": {"table": "7"},
}
_keys = count(1)


class Partner:
    """Calls the API as one key of one application."""

    def __init__(self, slug="acme", **chosen):
        self.slug = slug
        self.organisation = connection.tenant
        self.headers = access.bearer(access.issued(**chosen).secret)

    def get(self, path="", **query):
        return self.inside(Client().get(f"/v1/{self.slug}/payments{path}", query, headers=self.headers))

    def post(self, path="", body=None, **headers):
        answer = Client().post(
            f"/v1/{self.slug}/payments{path}",
            json.dumps({} if body is None else body),
            content_type="application/json",
            headers={"Idempotency-Key": f"key-{next(_keys)}", **self.headers, **headers},
        )
        return self.inside(answer)

    def inside(self, answer):
        """Enter the organisation again, which a request leaves behind it."""
        connection.set_tenant(self.organisation)
        return answer


def body(**changes):
    return {name: value for name, value in {**BODY, **changes}.items() if value is not None}


def refused(answer, status, code, pointer=None):
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    said = answer.json()
    if pointer is None:
        assert said["code"] == code
    else:
        assert {"pointer": pointer, "code": code}.items() <= said["errors"][0].items()
    return said
