"""Puts the simulator together: store, clock, faces and the port that they answer on."""

import ipaddress
import re
import threading
from dataclasses import dataclass, replace
from pathlib import Path

from apps.simulator.api import control, daraja, rates
from apps.simulator.api.http import Server
from apps.simulator.contracts import Request, Response
from apps.simulator.pages import site
from apps.simulator.paypal.api import face as paypal
from apps.simulator.paypal.pages import site as paypal_site
from apps.simulator.services.clock import VirtualClock
from apps.simulator.services.world import World
from apps.simulator.store import Store
from apps.simulator.stripe.api import face as stripe
from apps.simulator.stripe.pages import site as stripe_site

DARAJA = "/daraja"
RATES = "/rates"
CONTROL = "/__control"
STRIPE = "/stripe"
PAYPAL = "/paypal"


class HostRefused(Exception):
    """The simulator has no passwords, so it answers on loopback addresses only."""


@dataclass(frozen=True, slots=True)
class Running:
    """A simulator that answers; `close()` ends it within a second and may be called twice."""

    url: str
    world: World
    http: Server
    due: threading.Thread

    def close(self) -> None:
        """Stop answering and sending, and let go of the store."""
        self.world.is_stopping.set()
        self.world.has_changed.set()
        self.http.shutdown()
        self.http.server_close()
        self.due.join(timeout=0.5)
        self.world.store.close()


def serve(*, host: str, port: int, store_path: Path, seed: int | None = None, chaos: float = 0.0) -> Running:
    """
    Start a simulator in threads of this process; port 0 takes a free one.

    Raises HostRefused, StoreUnusable, and OSError where the port is taken.
    """
    check_host(host=host)
    world = build(store_path=store_path, seed=seed, chaos=chaos)
    try:
        http = Server(
            address=(host, port), world=world, face=lambda request: route(world=world, request=request)
        )
    except OSError:
        world.store.close()
        raise
    shown = f"[{host}]" if ":" in host else host
    due = threading.Thread(target=world.run_until_stopped, name="simulator-due", daemon=True)
    due.start()
    threading.Thread(target=http.serve_forever, args=(0.05,), name="simulator-http", daemon=True).start()
    return Running(url=f"http://{shown}:{http.server_port}", world=world, http=http, due=due)


def build(*, store_path: Path, seed: int | None = None, chaos: float = 0.0) -> World:
    """Return a simulator without port and threads, for a caller that hands it requests by `route`."""
    store = Store(path=Path(store_path), seed=seed)
    return World(store=store, clock=VirtualClock(store=store), chaos=chaos)


def check_host(*, host: str) -> None:
    """Raise HostRefused for anything but a loopback address."""
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise HostRefused(f"{host} is not a loopback address. Use --host 127.0.0.1.")


def route(*, world: World, request: Request) -> Response:
    """Hand a request to the face that its path belongs to."""
    if re.match(stripe_site.PAGES, request.path):
        return stripe_site.handle(world=world, request=request)
    if re.match(paypal_site.PAGES, request.path):
        return paypal_site.handle(world=world, request=request)
    faces = (
        (DARAJA, daraja.handle),
        (STRIPE, stripe.handle),
        (PAYPAL, paypal.handle),
        (RATES, rates.handle),
        (CONTROL, control.handle),
    )
    for prefix, face in faces:
        if request.path.startswith(f"{prefix}/"):
            return face(world=world, request=replace(request, path=request.path.removeprefix(prefix)))
    return site.handle(world=world, request=request)
