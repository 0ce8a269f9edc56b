#!/bin/sh
# Renews requirements/*.lock from pyproject.toml: exact versions, a hash for every file of every
# platform, no index address. uv is only needed here, so it lives in an environment of its own.
set -eu
cd "$(dirname "$0")/.."

tools=.cache/lock-tools
[ -x "$tools/bin/uv" ] || {
    "${PYTHON:-python3}" -m venv "$tools"
    "$tools/bin/python" -m pip install --quiet --disable-pip-version-check uv
}

compile() {
    "$tools/bin/uv" pip compile pyproject.toml --quiet --upgrade --no-config \
        --universal --python-version 3.11 --generate-hashes \
        --no-header --no-annotate --no-emit-index-url --no-emit-find-links "$@"
}
compile --output-file requirements/runtime.lock
compile --group dev --constraint requirements/runtime.lock --output-file requirements/dev.lock
