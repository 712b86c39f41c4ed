"""The logo of the organisation: a picture among its files, on its pages and on every sheet from then on."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID, uuid5

from django.db import transaction

from apps.access.services import organisation_settings
from apps.documents.contracts import PNG, ArtifactKind
from apps.documents.services import artifacts, pictures
from apps.kit.actors import Actor
from apps.tenancy.contracts import Logo
from apps.tenancy.selectors import branding

SOURCE_TYPE = "organisation_logo"
NAMESPACE = UUID("f2c1d2f6-94c9-5c0e-8f5e-2b9a1c7d3e40")
NAME = "logo"
"""What a sheet calls it: ``picture:logo``."""


def change(*, content: bytes, reason: str, actor: Actor, now: datetime) -> bool:
    """
    Make a picture the logo of the present organisation, from its next page and sheet on; say whether it was another one.

    Call it outside a transaction: the file goes into the storage first. It is drawn anew (``pictures.redraw``), and the same
    pixels are the same file. Raises pictures.PictureInvalid and storage.StorageUnavailable.
    """
    picture = pictures.redraw(content)
    file = artifacts.upload(
        kind=ArtifactKind.LOGO,
        content=picture.content,
        content_type=PNG,
        source_type=SOURCE_TYPE,
        source_id=uuid5(NAMESPACE, hashlib.sha256(picture.content).hexdigest()),
        now=now,
    )
    with transaction.atomic():
        kept, _ = artifacts.record(file=file, now=now)
        logo = Logo(kept.id, picture.width, picture.height)
        return organisation_settings.set_logo(logo=logo, reason=reason, actor=actor, now=now)


def remove(*, reason: str, actor: Actor, now: datetime) -> bool:
    """Take the logo away; its file stays among the files, as every file does. Say whether there was one."""
    return organisation_settings.set_logo(logo=None, reason=reason, actor=actor, now=now)


def drawn() -> Mapping[str, bytes]:
    """
    Return the logo of the present organisation under its name, for a sheet, or nothing where there is none.

    Raises storage.FileDamaged and storage.StorageUnavailable: a sheet is drawn later, not without what belongs on it.
    """
    logo = branding.present().logo
    return {NAME: artifacts.read(file_id=logo.file_id)} if logo else {}
