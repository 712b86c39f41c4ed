# The treasury as one image: every process of it is started by bin/serve. See docs/howto/build-the-image.md.
# tests/deploy replays these steps without an engine; what it leaves out is named there.

FROM python:3.12.12-slim-trixie AS builder
ENV PYTHONDONTWRITEBYTECODE=1 \
    UV_COMPILE_BYTECODE=1 \
    UV_NO_CACHE=1 \
    UV_PYTHON_DOWNLOADS=never
WORKDIR /srv/treasury
COPY requirements/uv.txt requirements/production.txt requirements/
RUN python -m pip install --no-cache-dir --require-hashes -r requirements/uv.txt
RUN uv venv --python python /opt/venv
RUN uv pip sync --require-hashes --python /opt/venv/bin/python requirements/production.txt
COPY . .
ENV PATH=/opt/venv/bin:$PATH
RUN DJANGO_SETTINGS_MODULE=treasury.settings.build python manage.py collectstatic --noinput
RUN python -m compileall -q apps treasury
RUN chmod -R a+rX,go-w /srv/treasury


FROM python:3.12.12-slim-trixie AS runtime
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# Debian's own package knows the archive of PostgreSQL and its key: pg_dump must be of the server's version or newer.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates postgresql-common \
    && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y \
    && apt-get install -y --no-install-recommends \
        postgresql-client-18 \
        tini \
        libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz0b libharfbuzz-subset0 \
        fontconfig fonts-dejavu-core fonts-noto-core shared-mime-info \
    && rm -rf /var/lib/apt/lists/*
RUN groupadd --gid 10001 treasury \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin treasury \
    && install --directory --owner 10001 --group 10001 --mode 0700 /data
COPY --from=builder /opt/venv /opt/venv
COPY --from=builder /srv/treasury /srv/treasury

ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="Treasury" \
      org.opencontainers.image.description="Multi-tenant treasury and payments back office" \
      org.opencontainers.image.version="$VERSION"
ENV PATH=/opt/venv/bin:/usr/lib/postgresql/18/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    XDG_CACHE_HOME=/tmp/cache \
    DJANGO_SETTINGS_MODULE=treasury.settings.production \
    TREASURY_VERSION=$VERSION \
    TREASURY_HTTP_HOST=0.0.0.0 \
    TREASURY_HTTP_PORT=4000 \
    TREASURY_STOP_SECONDS=30 \
    TREASURY_HEARTBEAT_PATH=/tmp/heartbeat \
    TREASURY_STORAGE_PATH=/data/storage
WORKDIR /srv/treasury
VOLUME ["/data"]
USER 10001:10001
EXPOSE 4000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["/srv/treasury/bin/serve", "probe", "alive"]
ENTRYPOINT ["/usr/bin/tini", "--", "/srv/treasury/bin/serve"]
CMD ["web"]
