"""Check the ledgers: one line per organisation, and every broken invariant by name and row."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django_tenants.utils import tenant_context

from apps.ledger.services import verification
from apps.ledger.services.verification import Verdict
from apps.tenancy.selectors import organisations


class Command(BaseCommand):
    help = "Verify the ledger's invariants in every organisation that works (or in the named ones); exit 1 when one is broken."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--tenant", nargs="+", metavar="SLUG", default=[], help="only these organisations"
        )
        parser.add_argument(
            "--since",
            type=int,
            metavar="SEAL",
            default=1,
            help="recompute seals from this number on; earlier ones were verified before",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *_: Any, tenant: list[str], **options: Any) -> None:
        verdicts = {
            organisation.slug: self._verify(organisation, since_seal=options["since"])
            for organisation in self._organisations(tenant)
        }
        if options["json"]:
            self.stdout.write(json.dumps({slug: _document(verdict) for slug, verdict in verdicts.items()}))
        else:
            for slug, verdict in verdicts.items():
                self._print(slug, verdict)
        broken = [slug for slug, verdict in verdicts.items() if not verdict.is_clean]
        if broken:
            raise CommandError(f"The ledger is broken in {', '.join(broken)}.", returncode=1)

    def _organisations(self, slugs: list[str]) -> list[organisations.Organisation]:
        if not slugs:
            return list(organisations.working().order_by("slug"))
        found = {slug: organisations.working_by_slug(slug) for slug in slugs}
        unknown = [slug for slug, organisation in found.items() if organisation is None]
        if unknown:
            raise CommandError(f"No organisation that is set up is called {', '.join(unknown)}.")
        return [organisation for organisation in found.values() if organisation]

    def _verify(self, organisation: organisations.Organisation, *, since_seal: int) -> Verdict:
        with tenant_context(organisation):
            return verification.verify(
                progress=lambda said: self.stderr.write(f"{organisation.slug}: {said}"), since_seal=since_seal
            )

    def _print(self, slug: str, verdict: Verdict) -> None:
        size = f"{verdict.transactions} transactions, {verdict.entries} entries, {verdict.accounts} accounts"
        if verdict.is_clean:
            self.stdout.write(f"{slug}: clean, {verification.HOLD} ({size})")
            return
        for finding in verdict.findings:
            meaning = verification.MEANINGS[finding.invariant]
            self.stdout.write(f"{slug}: {finding} ({finding.invariant}: {meaning})")


def _document(verdict: Verdict) -> dict[str, object]:
    return {
        "clean": verdict.is_clean,
        "transactions": verdict.transactions,
        "entries": verdict.entries,
        "accounts": verdict.accounts,
        "findings": [
            {"invariant": finding.invariant.value, "row": finding.row, "problem": finding.problem}
            for finding in verdict.findings
        ],
    }
