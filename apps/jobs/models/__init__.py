"""Models of jobs."""

from apps.jobs.models.job import Job

__all__ = ["Job"]
