#!/usr/bin/env python3
"""
Checks an export of the audit log that the treasury gave out: that no record in it was changed, removed or slipped in.

  verify_audit.py FILE                        FILE is the zip, or a folder with its two files
  verify_audit.py FILE --head NUMBER:HASH     and compare with a link that you hold from somewhere else: a later or an earlier
                                              export, the treasury's log, what `audit verify` printed

It needs Python 3.9 or newer and nothing else: no network, no other package, no code of the treasury.

  0   whole: every record follows, and the link that you gave is in it or right before it
  1   broken: it says which record, by its number, and why
  2   consistent: every record follows, but nothing outside the file was compared; look at the head that it prints
  64  the command itself was wrong
"""

import argparse
import hashlib
import json
import re
import sys
import zipfile
from pathlib import Path

TYPE = "treasury.audit-export/1"
FORM = "treasury.audit/1"
HEX = re.compile(r"[0-9a-f]{64}")
MANIFEST_MOST = 1 << 20
WHOLE, BROKEN, CONSISTENT, USAGE = 0, 1, 2, 64


class Broken(Exception):
    """The export does not hold, or is none."""


def link_hash(before, document):
    """Return the hash of a link: what was before it, and the document as JSON with sorted keys and no spaces."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(bytes.fromhex(before) + text.encode("utf-8")).hexdigest()


def check(manifest, lines, kept):
    """Follow the chain; return whether what was kept elsewhere was found in it."""
    if manifest.get("type") != TYPE:
        raise Broken(f"the manifest is not a {TYPE}")
    digest, before, seq = hashlib.sha256(), _hash(manifest, "prev_hash"), manifest["first_seq"] - 1
    start = f"{seq}:{before}"
    if seq == 0 and before != "0" * 64:
        raise Broken("the first record of all has something before it")
    is_known = _is_kept(kept, seq, before)
    for line in lines:
        digest.update(line)
        before = _follow(json.loads(line, parse_constant=_no_number), manifest["chain"], seq, before)
        seq += 1
        is_known = _is_kept(kept, seq, before) or is_known
    _close(manifest, seq, before, digest.hexdigest())
    print(f"{manifest['count']} records of {manifest['organisation']}, after {start}")
    print(f"head {seq}:{before}")
    return is_known


def _follow(row, chain, seq, before):
    """Return the hash of the next record, which must follow from the one before."""
    document = row["document"]
    where = f"number {document.get('seq')}"
    if document.get("form") != FORM:
        raise Broken(f"{where}: has a form that is not known here")
    if document.get("seq") != seq + 1:
        raise Broken(f"number {seq + 1} is missing, repeated or out of order")
    if document.get("chain") != chain:
        raise Broken(f"{where}: is of another chain")
    if _hash(row, "prev_hash") != before:
        raise Broken(f"{where}: does not follow from the record before")
    if link_hash(before, document) != _hash(row, "hash"):
        raise Broken(f"{where}: is not what was sealed (record {document['record'].get('id')})")
    return row["hash"]


def _close(manifest, seq, before, digest):
    """Hold the end of the file to its manifest."""
    if (seq, before) != (manifest["last_seq"], _hash(manifest, "head_hash")):
        raise Broken(f"the file ends at number {seq}, and the manifest at {manifest['last_seq']}")
    if seq - manifest["first_seq"] + 1 != manifest["count"]:
        raise Broken("the manifest counts other records")
    if digest != _hash(manifest, "sha256"):
        raise Broken("the file is not the one of the manifest")


def _is_kept(kept, seq, own_hash):
    if kept is None or kept[0] != seq:
        return False
    if kept[1] != own_hash:
        raise Broken(f"number {seq}: has another hash than the one that you gave")
    return True


def _hash(row, name):
    value = row.get(name)
    if not isinstance(value, str) or not HEX.fullmatch(value):
        raise Broken(f"{name} is not 64 hex digits")
    return value


def _no_number(text):
    raise Broken(f"{text} is no number")


def read(path):
    """Return the manifest and the lines of an export."""
    if path.is_dir():
        manifest = (path / "manifest.json").read_bytes()
        return json.loads(manifest), (path / "records.ndjson").open("rb")
    packed = zipfile.ZipFile(path)
    if packed.getinfo("manifest.json").file_size > MANIFEST_MOST:
        raise Broken("the manifest is too long")
    return json.loads(packed.read("manifest.json")), packed.open("records.ndjson")


def head(text):
    """Read NUMBER:HASH."""
    number, _, digest = text.partition(":")
    if not number.isdecimal() or not HEX.fullmatch(digest):
        raise argparse.ArgumentTypeError(f"{text} is not a number, a colon and 64 hex digits")
    return int(number), digest


class Parser(argparse.ArgumentParser):
    """Ends with 64 on a wrong command: 2 has a meaning of its own."""

    def error(self, message):
        self.print_usage(sys.stderr)
        print(message, file=sys.stderr)
        sys.exit(USAGE)


def main(arguments=None):
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--head", type=head)
    given = parser.parse_args(arguments)
    try:
        is_known = check(*read(given.file), given.head)
    except (OSError, zipfile.BadZipFile) as error:
        print(f"{given.file} cannot be read: {error}", file=sys.stderr)
        return USAGE
    except (Broken, KeyError, TypeError, ValueError, AttributeError) as error:
        said = (
            error
            if isinstance(error, Broken)
            else f"the file is not an export ({type(error).__name__}: {error})"
        )
        print(f"BROKEN: {said}")
        return BROKEN
    if given.head and not is_known:
        print(f"CONSISTENT: number {given.head[0]} is not in this export, so nothing was compared")
        return CONSISTENT
    print("WHOLE" if is_known else "CONSISTENT: compare the head with one that you hold from somewhere else")
    return WHOLE if is_known else CONSISTENT


if __name__ == "__main__":
    sys.exit(main())
