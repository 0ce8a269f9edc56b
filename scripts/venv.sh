#!/bin/sh
# Makes .venv and installs a lock file into it, once for each version of that lock file.
#   scripts/venv.sh runtime   what 'make run' needs
#   scripts/venv.sh dev       the same and what 'make test' needs
set -eu
cd "$(dirname "$0")/.."

kind=${1:-runtime}
venv=${VENV:-.venv}
lock="requirements/$kind.lock"

say() { printf '%s\n' "$*" >&2; }
stop() { say "$*"; exit 1; }

# One checksum tool or another is on every system that has Python; Python itself is the last resort.
checksum() {
    if command -v sha256sum >/dev/null 2>&1; then sha256sum "$1" | cut -c1-16
    elif command -v shasum >/dev/null 2>&1; then shasum -a 256 "$1" | cut -c1-16
    else "$venv/bin/python" -c 'import hashlib,sys; print(hashlib.sha256(open(sys.argv[1],"rb").read()).hexdigest()[:16])' "$1"
    fi
}

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        new_enough "$PYTHON" || stop "PYTHON=$PYTHON is not a Python 3.11 or newer."
        printf '%s' "$PYTHON"
        return
    fi
    for candidate in python3 python3.11 python3.12 python3.13 python3.14; do
        if new_enough "$candidate"; then printf '%s' "$candidate"; return; fi
    done
    found=$(python3 --version 2>/dev/null || printf 'none')
    stop "chatapp needs Python 3.11 or newer, and this machine's python3 is: $found.
Install a newer one (Debian and Ubuntu: 'apt-get install python3 python3-venv'),
or say where it is: make run PYTHON=/path/to/python3.11"
}

# A stamp counts only while the interpreter behind the environment still works.
stamp() { printf '%s/.installed-%s-%s' "$venv" "$1" "$(checksum "requirements/$1.lock")"; }

if new_enough "$venv/bin/python"; then
    [ -e "$(stamp "$kind")" ] && exit 0
else
    python=$(find_python)
    if ! "$python" -c 'import venv, ensurepip' >/dev/null 2>&1; then
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        stop "$python cannot make virtual environments: its 'ensurepip' is missing.
On Debian and Ubuntu: apt-get install python$version-venv"
    fi
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi

say "Installing dependencies (once, under a minute) …"
started=$(date +%s)
rm -f "$venv"/.installed-*
log="$venv/install.log"
if ! PIP_DISABLE_PIP_VERSION_CHECK=1 "$venv/bin/python" -m pip install --quiet --no-input \
    --require-hashes -r "$lock" >"$log" 2>&1; then
    cat "$log" >&2
    stop "The dependencies could not be installed. Is the network there? The full output is above."
fi
: >"$(stamp "$kind")"
# dev.lock holds all that runtime.lock holds, in the same versions.
[ "$kind" = runtime ] || : >"$(stamp runtime)"
say "Dependencies are ready after $(($(date +%s) - started)) s."
