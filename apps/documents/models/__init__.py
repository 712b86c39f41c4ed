"""Models of documents."""

from apps.documents.models.artifact import Artifact

__all__ = ["Artifact"]
