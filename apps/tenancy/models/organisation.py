"""An organisation owns a schema; its domains lead to it."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django_tenants.models import DomainMixin, TenantMixin

from apps.kit import clock
from apps.kit.models import CurrencyField, UuidModel
from apps.tenancy.contracts import BranchPolicy

BRAND_COLOR = "#0e5a6b"
RATE_MAX = 10_000


class OrganisationStatus(models.TextChoices):
    """SUSPENDED is closed to people and products; callbacks and jobs go on as in READY. ENDED has no schema any more."""

    PROVISIONING = "PROVISIONING"
    READY = "READY"
    SUSPENDED = "SUSPENDED"
    ENDING = "ENDING"
    ENDED = "ENDED"


class Organisation(UuidModel, TenantMixin):
    """
    ``is_test`` organisations use the simulator as their provider and may move the clock. Where ``requires_second_factor``
    is set nobody opens the portal before he has one; a test organisation starts without. In a small team (``is_small_team``)
    one role may hold duties that are kept apart elsewhere. ``upgraded_to`` is the build that its schema and content were
    last brought to. Its book is opened in ``base_currency`` and ``time_zone``, with years that begin in the month
    ``fiscal_year_start``. The platform may set how many requests a second all its credentials make together
    (``requests_per_second``), and how many move money (``money_per_second``); None: as many as anybody's. ``logo_id`` names a file of its own schema, and how large the picture is stands beside it.
    """

    slug = models.CharField(
        max_length=50, unique=True, validators=[RegexValidator(r"^[a-z][a-z0-9-]{1,49}\Z")]
    )
    name = models.CharField(max_length=120)
    status = models.CharField(
        max_length=12, choices=OrganisationStatus.choices, default=OrganisationStatus.PROVISIONING
    )
    is_test = models.BooleanField(default=False)
    requires_second_factor = models.BooleanField(default=True)
    is_small_team = models.BooleanField(default=False)
    branch_policy = models.CharField(
        max_length=20,
        choices=[(policy.value, policy.value) for policy in BranchPolicy],
        default=BranchPolicy.STRICT.value,
    )
    base_currency = CurrencyField(default="KES")
    time_zone = models.CharField(max_length=64, default="Africa/Nairobi")
    fiscal_year_start = models.PositiveSmallIntegerField(default=1)
    brand_color = models.CharField(
        max_length=7, default=BRAND_COLOR, validators=[RegexValidator(r"^#[0-9a-f]{6}\Z")]
    )
    email_sender = models.CharField(max_length=64, blank=True, default="")
    sms_sender = models.CharField(max_length=11, blank=True, default="")
    tax_number = models.CharField(max_length=20, blank=True, default="")
    support_contact = models.CharField(max_length=60, blank=True, default="")
    logo_id = models.UUIDField(null=True, editable=False)
    logo_width = models.PositiveSmallIntegerField(null=True, editable=False)
    logo_height = models.PositiveSmallIntegerField(null=True, editable=False)
    requests_per_second = models.PositiveIntegerField(null=True, editable=False)
    money_per_second = models.PositiveIntegerField(null=True, editable=False)
    upgraded_to = models.CharField(max_length=64, blank=True, default="", editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    auto_create_schema = False
    auto_drop_schema = False

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(fiscal_year_start__range=(1, 12)), name="organisation_fiscal_year"
            ),
            models.CheckConstraint(
                condition=Q(requests_per_second__isnull=True)
                | Q(requests_per_second__gte=1, requests_per_second__lte=RATE_MAX),
                name="organisation_requests_per_second",
            ),
            models.CheckConstraint(
                condition=Q(money_per_second__isnull=True)
                | Q(money_per_second__gte=1, money_per_second__lte=RATE_MAX),
                name="organisation_money_per_second",
            ),
            models.CheckConstraint(
                condition=Q(logo_id__isnull=True, logo_width__isnull=True, logo_height__isnull=True)
                | Q(logo_id__isnull=False, logo_width__gt=0, logo_height__gt=0),
                name="organisation_logo_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_suspended(self) -> bool:
        return self.status == OrganisationStatus.SUSPENDED


class Domain(DomainMixin):
    """A host name that leads to an organisation's portal."""
