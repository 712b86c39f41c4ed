"""Find the files of a source."""

from collections.abc import Iterable
from uuid import UUID

from apps.documents.contracts import ArtifactKind, StoredFile
from apps.documents.models import Artifact


def of_source(source_type: str, source_id: UUID, kind: ArtifactKind) -> StoredFile | None:
    """Return the file, or None while it is not rendered yet."""
    return of_sources(source_type, [source_id], kind).get(source_id)


def of_sources(source_type: str, source_ids: Iterable[UUID], kind: ArtifactKind) -> dict[UUID, StoredFile]:
    """Return the files of many sources by source id, in one query."""
    found = Artifact.objects.filter(source_type=source_type, source_id__in=list(source_ids), kind=kind)
    return {artifact.source_id: artifact.as_file() for artifact in found}
