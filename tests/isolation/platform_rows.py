"""
What each address outside of the organisations answers to whom, written by hand: a new one fails until it is here.

Who asks, in this order:

- ``staff``: a member of the platform's staff who has proved his second factor
- ``unproved``: one of the staff who has none
- ``member``: an owner of acme, signed in, who sends a key of acme with his requests
- ``stranger``: nobody in particular

``login``, ``enrol`` and ``front`` are the way to the sign-in, to set up a second factor and to the first page; otherwise it is
the status.
"""

from dataclasses import dataclass

LOGIN, ENROL, FRONT = "login", "enrol", "front"
NOT_NOW = "409"
"""What a dialog says of a row that is not in a state for it."""


@dataclass(frozen=True, slots=True)
class Page:
    """One address of the platform's site, or beside it."""

    staff: str = "200"
    unproved: str = ENROL
    member: str = LOGIN
    stranger: str = LOGIN


@dataclass(frozen=True, slots=True)
class Door:
    """One method of the onboarding API: for the application whose rows they are, for another one, and for everybody else."""

    own: str
    other: str
    others: str = "401"


# What acme has none of, as it is ready and goes on, is 404 or 409: tests/platform has both.
NEVER = Page("403")
"""What the staff may not do either: rows are made and ended by dialogs alone."""


def open_to_all(answer: str = "200") -> Page:
    """Return the row of what is the same for everybody."""
    return Page(answer, answer, answer, answer)


def of_admin(place: str, **deeds: str) -> dict[str, Page]:
    """Return the rows of an admin class: its list and the page of a row, and dialogs with what the staff gets."""
    base = f"GET platform/{place}/"
    return {
        base: Page(),
        f"{base}add/": NEVER,
        f"{base}{{row}}/": Page("302"),
        f"{base}{{row}}/change/": Page(),
        f"{base}{{row}}/history/": Page(),
        f"{base}{{row}}/delete/": NEVER,
        **{f"{base}{{row}}/do/{deed.replace('_', '-')}/": Page(answer) for deed, answer in deeds.items()},
    }


PAGES: dict[str, Page] = {
    "GET ": open_to_all(FRONT),
    "GET platform/language": open_to_all("302"),
    "GET platform/": Page(),
    "GET platform/login/": Page(FRONT, FRONT, "200", "200"),
    "GET platform/logout/": Page("405", "405", FRONT, FRONT),
    "GET platform/enter/": open_to_all("404"),
    "GET platform/second-factor/": Page(FRONT),
    "GET platform/second-factor/set-up/": Page("302", "200"),
    "GET platform/second-factor/manage/": Page(),
    "GET platform/second-factor/recovery-codes/": Page("405"),
    "GET platform/second-factor/remove/": Page("405"),
    "GET platform/sessions/": Page(),
    "GET platform/sessions/end/": Page("405"),
    "GET platform/sessions/end-others/": Page("405"),
    "GET platform/search/": Page(),
    "GET platform/password_change/": Page(),
    "GET platform/password_change/done/": Page(),
    "GET platform/autocomplete/": Page("403"),
    "GET platform/jsi18n/": Page(),
    "GET platform/r/{row}/{row}/": Page("404"),
    "GET platform/{row}/": Page(),
    "GET platform/{row}": Page("404"),
    **of_admin("tenancy/registeredapplication", accept="200", refuse="200", suspend=NOT_NOW, resume=NOT_NOW),
    **of_admin("tenancy/organisationrequest", agree="200", refuse="200"),
    **of_admin(
        "tenancy/organisation",
        try_again=NOT_NOW,
        suspend="200",
        resume=NOT_NOW,
        end=NOT_NOW,
        call_off_end=NOT_NOW,
        archive=NOT_NOW,
        require_second_factor="200",
        waive_second_factor=NOT_NOW,
        limit_requests="200",
    ),
    "GET platform/tenancy/organisation/do/open/": Page(),
    "GET platform/tenancy/organisation/{row}/progress/": Page("404"),
    "GET platform/tenancy/organisation/{row}/archive/download/": Page("404"),
    **of_admin("tenancy/domain"),
    **of_admin(
        "accounts/user",
        renew_link=NOT_NOW,
        take_over=NOT_NOW,
        reset_second_factor=NOT_NOW,
        lift_lock_out=NOT_NOW,
        end_sessions="200",
        deactivate="200",
    ),
    **of_admin("accounts/platformrecord"),
    # what everybody may read
    "GET v1/openapi.yaml": open_to_all(),
    "GET v1/docs/": open_to_all(),
    "GET v1/docs/errors": open_to_all(),
    "GET v1/docs": open_to_all("302"),
    "GET v1/docs/reference": open_to_all(),
}

DOORS: dict[str, Door] = {
    "POST v1/onboarding/applications": Door("422", "422", "422"),
    "GET v1/onboarding/application": Door("200", "200"),
    "POST v1/onboarding/application/renew-secret": Door("200", "200"),
    "GET v1/onboarding/links": Door("200", "200"),
    "POST v1/onboarding/links": Door("422", "422"),
    "POST v1/onboarding/links/redeem-invite": Door("422", "422"),
    "GET v1/onboarding/links/{row}": Door("200", "404"),
    "POST v1/onboarding/links/{row}/api-key": Door("409", "404"),
    "POST v1/onboarding/links/{row}/change": Door("422", "404"),
    "POST v1/onboarding/links/{row}/withdraw-change": Door("409", "404"),
    "POST v1/onboarding/links/{row}/end": Door("200", "404"),
    "GET v1/onboarding/organisations": Door("200", "200"),
    "POST v1/onboarding/organisations": Door("422", "422"),
    "GET v1/onboarding/organisations/{row}": Door("200", "404"),
    "POST v1/onboarding/organisations/{row}/owner-link": Door("409", "404"),
    "POST v1/onboarding/organisations/{row}/withdraw": Door("200", "404"),
}
