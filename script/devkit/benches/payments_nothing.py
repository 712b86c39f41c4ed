"""Ask a view that does nothing so many times, one request after the other: what a request costs before anything is done."""

import json
import sys
from pathlib import Path
from typing import Any

import httpx


def main(job: dict[str, Any]) -> dict[str, Any]:
    with httpx.Client(trust_env=False) as client:
        for _ in range(job["count"]):
            client.get(job["url"]).raise_for_status()
    return {"count": job["count"]}


if __name__ == "__main__":
    print(json.dumps(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))))
