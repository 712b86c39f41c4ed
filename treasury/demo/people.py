"""Who works at the demo organisation, who pays there, and what they are called."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

DOMAIN = "savanna.example"
PLATFORM_EMAIL = "ops@treasury.example"
PHONE = "+254712345678"
"""The phone of whoever tries the demo: it pays nothing by itself."""


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who signs in to the portal."""

    name: str
    role: str
    deed: str

    @property
    def email(self) -> str:
        return f"{self.name.split()[0].lower()}@{DOMAIN}"


OWNER = Colleague("Amina Wanjiru", "owner", "owner of the organisation")
OFFICER = Colleague("Brian Mwangi", "treasury_officer", "treasury officer: asks for money and refunds")
APPROVER = Colleague("Grace Achieng", "approver", "approver: decides what others ask for")
CONTROLLER = Colleague("Daniel Kiprop", "controller", "controller: looks after what does not fit")
AUDITOR = Colleague("Fatuma Hassan", "auditor", "auditor: sees all, changes nothing")
TEAM = (OWNER, OFFICER, APPROVER, CONTROLLER, AUDITOR)

FIRST_NAMES = (
    "Njeri", "Kevin", "Mercy", "Otieno", "Wambui", "Hassan", "Faith", "Kiprotich", "Akinyi", "Samuel", "Zainab",
    "Mutua", "Cynthia", "Omondi", "Chebet", "Joseph", "Halima", "Wanjiku", "Peter", "Nafula", "Abdi", "Esther",
    "Kamau", "Lilian", "Barasa", "Mwende", "Collins", "Nyambura", "Ali", "Beatrice", "Kipchoge", "Sharon",
)  # fmt: skip
FAMILY_NAMES = (
    "Kamau", "Odhiambo", "Mutiso", "Wafula", "Cheruiyot", "Njoroge", "Mohamed", "Onyango", "Karanja", "Kilonzo",
    "Wekesa", "Maina", "Koech", "Adan", "Gitau", "Ouma", "Ndungu", "Rotich", "Muthoni", "Simiyu", "Kariuki", "Juma",
    "Nyaga", "Langat", "Okoth", "Musyoka",
)  # fmt: skip
PREFIXES = ("0711", "0720", "0722", "0723", "0727", "0740", "0745", "0768", "0790", "0796", "0112", "0115")


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who pays: the name on the order and the number of the phone that is asked."""

    name: str
    phone: str

    @property
    def email(self) -> str:
        return f"{self.name.lower().replace(' ', '.')}@example.com"


def customers(dice: random.Random) -> Iterator[Customer]:
    """Return customers without end, no phone twice; none of them is a magic number of the simulator."""
    seen = {PHONE}
    while True:
        name = f"{dice.choice(FIRST_NAMES)} {dice.choice(FAMILY_NAMES)}"
        phone = f"+254{dice.choice(PREFIXES)[1:]}{dice.randrange(1_000_000):06}"
        if phone not in seen:
            seen.add(phone)
            yield Customer(name, phone)
