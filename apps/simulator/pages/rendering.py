"""Templates of the simulator, rendered without Django's settings: every value in a context is a text or a flag."""

from collections.abc import Mapping
from pathlib import Path

from django.template import Context, Engine

from apps.simulator.contracts import Response

ROOT = Path(__file__).resolve().parents[3]
ENGINE = Engine(dirs=[str(ROOT / "templates")])
STYLESHEET = ROOT / "static" / "simulator" / "simulator.css"


def page(*, template: str, context: Mapping[str, object], status: int = 200) -> Response:
    """Render `templates/simulator/<template>`."""
    html = ENGINE.get_template(f"simulator/{template}").render(Context(dict(context)))
    return Response(status=status, body=html.encode(), content_type="text/html; charset=utf-8")


def stylesheet() -> Response:
    """Return the one asset that the pages use."""
    return Response(body=STYLESHEET.read_bytes(), content_type="text/css; charset=utf-8")


def redirect(*, to: str) -> Response:
    """Send the browser on after a form."""
    return Response(status=303, content_type="text/plain", headers=(("Location", to),))
