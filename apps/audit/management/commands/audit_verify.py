"""Check the audit trails: one line each, and the first records that are broken."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django_tenants.utils import tenant_context

from apps.accounts.services import platform_trail
from apps.accounts.services.trail_checks import Verdict
from apps.audit.services import chain
from apps.kit import clock
from apps.tenancy.selectors import organisations


class Command(BaseCommand):
    help = "Verify the audit trail of the platform and of every organisation that works (or of the named ones); exit 1 when one is broken."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--tenant", nargs="+", metavar="SLUG", default=[], help="only these organisations"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *_: Any, tenant: list[str], **options: Any) -> None:
        verdicts = dict(self._verdicts(tenant))
        if options["json"]:
            self.stdout.write(json.dumps({name: _document(verdict) for name, verdict in verdicts.items()}))
        else:
            for name, verdict in verdicts.items():
                self._print(name, verdict)
        broken = [name for name, verdict in verdicts.items() if not verdict.is_whole]
        if broken:
            raise CommandError(f"The audit trail is broken in {', '.join(broken)}.", returncode=1)

    def _verdicts(self, slugs: list[str]) -> Iterator[tuple[str, Verdict]]:
        if not slugs:
            yield platform_trail.TRAIL.name, platform_trail.verify()
        for organisation in self._organisations(slugs):
            with tenant_context(organisation):
                yield organisation.slug, chain.verify(now=clock.now())

    def _organisations(self, slugs: list[str]) -> list[organisations.Organisation]:
        if not slugs:
            return list(organisations.working().order_by("slug"))
        found = {slug: organisations.working_by_slug(slug) for slug in slugs}
        unknown = [slug for slug, organisation in found.items() if organisation is None]
        if unknown:
            raise CommandError(f"No organisation that is set up is called {', '.join(unknown)}.")
        return [organisation for organisation in found.values() if organisation]

    def _print(self, name: str, verdict: Verdict) -> None:
        size = f"{verdict.records} records, {verdict.waiting} not sealed yet"
        if verdict.is_whole:
            self.stdout.write(f"{name}: whole, head {verdict.head.seq}:{verdict.head.hash.hex()} ({size})")
            return
        for finding in verdict.findings:
            self.stdout.write(f"{name}: broken: {finding}")


def _document(verdict: Verdict) -> dict[str, object]:
    return {
        "whole": verdict.is_whole,
        "records": verdict.records,
        "waiting": verdict.waiting,
        "head": {"seq": verdict.head.seq, "hash": verdict.head.hash.hex()},
        "findings": [
            {
                "seq": finding.seq,
                "record": str(finding.record_id) if finding.record_id else None,
                "problem": finding.problem,
            }
            for finding in verdict.findings
        ],
    }
