#!/usr/bin/env python3
"""
Checks a proof that the treasury gave out: that a transaction is in a seal, and the seal in what you hold against it.

  verify_proof.py FILE                      FILE is a proof of the form treasury.proof/1; - reads standard input
  verify_proof.py FILE --seal-hash 0x…      and compare with the hash of the last seal, kept from where you trust it

It needs Python 3.9 or newer and nothing else: no network, no other package, no code of the treasury.

  0   proven: the proof leads to the seal hash that you gave
  1   refuted: a step fails, or the file is not a proof; it says which and why
  2   consistent: every step holds, but nothing outside the file was compared; look at the seal hash that it prints
  64  the command itself was wrong
"""

import argparse
import hashlib
import json
import re
import sys
from pathlib import Path

TYPE = "treasury.proof/1"
BYTES_MOST = 1 << 20
PATH_MOST = 64
LINKS_MOST = 1440
NUMBER_MOST = (1 << 63) - 1
DOMAIN = b"TSEAL\x01"
WORD = 32
TENANT = 16
HEAD, LEG = 8, 6
PROVEN, REFUTED, CONSISTENT, USAGE = 0, 1, 2, 64

HEAD_FORM = re.compile(r"[0-9a-f-]{36}\|[A-Z_]+\|[0-9]{4}-[0-9]{2}-[0-9]{2}")
HEX = re.compile(r"0x(?:[0-9a-f]{2})+")
LANE = (1 << 64) - 1
RATE = 136
ROTATIONS = (
    (0, 36, 3, 41, 18),
    (1, 44, 10, 45, 2),
    (62, 6, 43, 15, 61),
    (28, 55, 25, 21, 56),
    (27, 20, 39, 8, 14),
)


class Refuted(Exception):
    """The proof does not hold, or is none."""


def _round_constants():
    """Return the 24 constants of Keccak, from its shift register."""
    constants, register = [], 1
    for _ in range(24):
        constant = 0
        for power in range(7):
            if register & 1:
                constant |= 1 << ((1 << power) - 1)
            register = (register << 1) ^ (0x171 if register & 0x80 else 0)
        constants.append(constant)
    return constants


CONSTANTS = _round_constants()


def _turn(lane, by):
    return ((lane << by) | (lane >> (64 - by))) & LANE if by else lane


def _permute(state):
    """Keccak-f[1600] on 5 x 5 lanes, in place."""
    for constant in CONSTANTS:
        columns = [state[x][0] ^ state[x][1] ^ state[x][2] ^ state[x][3] ^ state[x][4] for x in range(5)]
        for x in range(5):
            mix = columns[x - 1] ^ _turn(columns[(x + 1) % 5], 1)
            for y in range(5):
                state[x][y] ^= mix
        moved = [[0] * 5 for _ in range(5)]
        for x in range(5):
            for y in range(5):
                moved[y][(2 * x + 3 * y) % 5] = _turn(state[x][y], ROTATIONS[x][y])
        for x in range(5):
            for y in range(5):
                state[x][y] = moved[x][y] ^ (~moved[(x + 1) % 5][y] & LANE & moved[(x + 2) % 5][y])
        state[0][0] ^= constant


def keccak(data):
    """Keccak-256 with the original padding, as Ethereum uses it; this is not SHA3-256."""
    padded = bytearray(data) + b"\x01" + bytes(RATE - 1 - len(data) % RATE)
    padded[-1] |= 0x80
    state = [[0] * 5 for _ in range(5)]
    for start in range(0, len(padded), RATE):
        for place in range(RATE // 8):
            lane = int.from_bytes(padded[start + 8 * place : start + 8 * place + 8], "little")
            state[place % 5][place // 5] ^= lane
        _permute(state)
    return b"".join(state[place][0].to_bytes(8, "little") for place in range(4))


def read(raw):
    """Return the document of a file; refuse what two readers could read differently."""
    if len(raw) > BYTES_MOST:
        raise Refuted("the file is larger than any proof")
    try:
        document = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_once, parse_float=_no_number, parse_constant=_no_number
        )
    except (ValueError, RecursionError) as error:
        raise Refuted(f"the file is not JSON in UTF-8: {error}") from None
    if not isinstance(document, dict) or document.get("type") != TYPE:
        raise Refuted(f"the file is not a {TYPE}")
    return document


def _once(pairs):
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise Refuted("a name stands twice in one object")
    return dict(pairs)


def _no_number(text):
    raise Refuted(f"{text} is no whole number")


def _part(document, name, kind):
    value = document.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise Refuted(f"{name} is missing or of another kind")
    return value


def _number(document, name):
    value = _part(document, name, int)
    if not 0 < value <= NUMBER_MOST:
        raise Refuted(f"{name} is out of range")
    return value


def _hash(value, name, size=WORD):
    if not isinstance(value, str) or not HEX.fullmatch(value) or len(value) != 2 + 2 * size:
        raise Refuted(f"{name} is not 0x and {size} bytes in lower-case hex")
    return bytes.fromhex(value[2:])


def _path(document):
    siblings = _part(document, "path", list)
    if len(siblings) > PATH_MOST:
        raise Refuted(f"a path has more than {PATH_MOST} steps")
    return [_hash(sibling, "a step of a path") for sibling in siblings]


def _word(number):
    return number.to_bytes(WORD, "big")


def climb(node, siblings):
    """Return the root that a leaf and its siblings lead to; the smaller of each pair goes first."""
    for sibling in siblings:
        node = keccak(min(node, sibling) + max(node, sibling))
    return node


def seal_hash(previous, root, number, count, tenant):
    words = (
        DOMAIN.ljust(WORD, b"\0"),
        previous,
        root,
        _word(number),
        _word(count),
        tenant.ljust(WORD, b"\0"),
    )
    return keccak(b"".join(words))


def check_statement(document, say):
    """Return the leaf of the statement, which must be one that balances."""
    text = _part(document, "statement", str)
    try:
        content = hashlib.sha256(text.encode("utf-8")).digest()
    except UnicodeEncodeError:
        raise Refuted("the statement is not text") from None
    fields = text.split("|")
    is_whole = len(fields) >= HEAD + 2 * LEG and (len(fields) - HEAD) % LEG == 0
    if not is_whole or fields[0] != "v1" or not HEAD_FORM.fullmatch("|".join((fields[1], *fields[3:5]))):
        raise Refuted("the statement is not one of version 1")
    sums = {}
    for start in range(HEAD, len(fields), LEG):
        _, _, currency, layer, direction, amount = fields[start : start + LEG]
        if not re.fullmatch(r"-?[0-9]{1,38}", amount) or direction not in {"1", "-1"}:
            raise Refuted("the statement has a leg without a sum or a side")
        side = currency, layer
        sums[side] = sums.get(side, 0) + int(amount) * int(direction)
    if any(sums.values()):
        raise Refuted("the statement does not balance")
    say(f"transaction {fields[1]}, {fields[3]} of {fields[4]}, {(len(fields) - HEAD) // LEG} legs, balances")
    return keccak(keccak(content))


def check_seal(document, leaf, tenant, say):
    """Return number and hash of the seal that holds the leaf."""
    seal = _part(document, "seal", dict)
    number, count = _number(seal, "seq"), _number(seal, "count")
    root, previous = _hash(seal.get("root"), "seal.root"), _hash(seal.get("prev"), "seal.prev")
    siblings = _path(_part(document, "transaction", dict))
    if not count.bit_length() - 1 <= len(siblings) <= (count - 1).bit_length():
        raise Refuted(f"step 1: a path of {len(siblings)} steps does not belong to a tree of {count} leaves")
    if climb(leaf, siblings) != root:
        raise Refuted("step 1: the statement and its path do not lead to the root of the seal")
    say(f"step 1: the statement is in the tree of {count} leaves with the root 0x{root.hex()}")
    hashed = seal_hash(previous, root, number, count, tenant)
    say(f"step 2: seal {number} hashes to 0x{hashed.hex()}")
    return number, hashed


def follow_links(document, number, hashed, tenant, say):
    """Return number and hash of the last seal that the file names."""
    links = document.get("links", [])
    if not isinstance(links, list) or len(links) > LINKS_MOST:
        raise Refuted(f"links is no list of at most {LINKS_MOST}")
    for link in links:
        if not isinstance(link, dict):
            raise Refuted("a link is of another kind")
        number += 1
        hashed = seal_hash(
            hashed, _hash(link.get("root"), "links.root"), number, _number(link, "count"), tenant
        )
    if links:
        say(f"step 3: {len(links)} seals later, seal {number} hashes to 0x{hashed.hex()}")
    return number, hashed


def check_epoch(document, number, hashed, tenant, say):
    """The last seal must be a leaf of the epoch, if the file names one."""
    if "epoch" not in document:
        return
    epoch = _part(document, "epoch", dict)
    key = keccak(b"treasury-tenant" + tenant)
    if _hash(epoch.get("tenant_key"), "epoch.tenant_key") != key:
        raise Refuted("step 4: the epoch's key is another organisation's")
    leaf = keccak(keccak(key + _word(number) + hashed))
    if climb(leaf, _path(epoch)) != _hash(epoch.get("root"), "epoch.root"):
        raise Refuted("step 4: the seal and its path do not lead to the root of the epoch")
    say(
        f"step 4: seal {number} is in the epoch with the root {epoch['root']}, which this program does not look up"
    )


def verify(raw, wanted, say):
    """Check every step of a proof; return PROVEN or CONSISTENT, or raise Refuted."""
    document = read(raw)
    tenant = _hash(document.get("tenant"), "tenant", TENANT)
    leaf = check_statement(document, say)
    number, hashed = check_seal(document, leaf, tenant, say)
    number, hashed = follow_links(document, number, hashed, tenant, say)
    check_epoch(document, number, hashed, tenant, say)
    if wanted is None:
        say(
            f"consistent: compare 0x{hashed.hex()} with the hash of seal {number} that somebody else has kept"
        )
        return CONSISTENT
    if hashed != wanted:
        raise Refuted(f"the hash of seal {number} is 0x{hashed.hex()}, and you hold another one")
    say(f"proven: seal {number} has the hash that you gave")
    return PROVEN


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(USAGE, f"{self.prog}: {message}\n")


def _wanted(text):
    try:
        return _hash(text.lower(), "the hash")
    except Refuted as reason:
        raise argparse.ArgumentTypeError(str(reason)) from None


def main(words=None):
    parser = _Parser(description="Check a proof of the treasury.")
    parser.add_argument("file", help="the proof; - reads standard input")
    parser.add_argument(
        "--seal-hash", type=_wanted, help="the hash of the last seal, from a source that you trust"
    )
    given = parser.parse_args(words)
    try:
        raw = sys.stdin.buffer.read() if given.file == "-" else Path(given.file).read_bytes()
        return verify(raw, given.seal_hash, print)
    except OSError as error:
        print(f"refuted: the file cannot be read: {error}")
    except Refuted as reason:
        print(f"refuted: {reason}")
    return REFUTED


if __name__ == "__main__":
    sys.exit(main())
