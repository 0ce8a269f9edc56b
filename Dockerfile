# chatapp in a container: Debian's Python, the locked packages, the code; no compiler, no pip, no root.
# The root may be read-only: chatapp writes into /data alone, and only what it is not given elsewhere: a SQLite
# database and its key.
#   docker build -t chatapp .
#   docker run --read-only --tmpfs /tmp -v chatapp:/data -p 127.0.0.1:8000:8000 chatapp
# Pin the base for builds that can be repeated: --build-arg BASE=debian:bookworm-slim@sha256:…
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS python
# Certificates are for managed databases that are reached by TLS.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 ca-certificates \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*

FROM python AS build
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends python3-pip python3-venv
COPY requirements/runtime.lock /tmp/runtime.lock
# Wheels only: nothing that is installed runs code here, and nothing needs a compiler.
RUN python3 -m venv --without-pip /opt/chatapp \
    && pip --python /opt/chatapp/bin/python install --no-cache-dir --no-compile --disable-pip-version-check \
        --require-hashes --only-binary :all: --requirement /tmp/runtime.lock
COPY chatapp /app/chatapp
COPY migrations /app/migrations
COPY deploy/ask.py /app/ask.py
# Readable whatever the umask of the checkout was; compiled once, since the root is read-only later.
RUN chmod -R a=rX,u+w /app \
    && python3 -m compileall -q --invalidation-mode unchecked-hash /opt/chatapp/lib /app

FROM python
RUN groupadd --gid 10001 chatapp \
    && useradd --uid 10001 --gid chatapp --no-create-home --home-dir /data --shell /usr/sbin/nologin chatapp \
    && install --directory --owner chatapp --group chatapp --mode 0700 /data /data/files
COPY --from=build /opt/chatapp /opt/chatapp
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/opt/chatapp/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    DATA_DIR=/data
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "/app/ask.py", "/up"]
CMD ["python", "-m", "chatapp"]
# Last, because they change with each build and what comes after a change is built anew.
ARG VERSION=0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="chatapp" \
    org.opencontainers.image.description="A self-hosted chat: rooms, live messages, one Python process." \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}"
