"""HTTP to what runs on this machine, in clear: its clients read no certificates, which takes longer than most tests."""

import ssl

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""``verify`` of such a client: it trusts nobody, and is never asked to."""
