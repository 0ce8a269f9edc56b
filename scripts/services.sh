#!/bin/sh
# Installs what the tests drive and this machine lacks: PostgreSQL, Redis, nginx, openssl, coturn, Janus, iproute2
# (networks of their own for two browsers), Chromium, git.
# The tests start their own copies in scratch folders, so nothing installed here is left running,
# enabled at boot, or holding a database cluster.
set -eu
cd "$(dirname "$0")/.."
# Debian keeps servers where an ordinary user's PATH does not look.
PATH="$PATH:/usr/sbin:/usr/local/sbin"
venv=${VENV:-.venv}

say() { printf '%s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

have_postgresql() {
    for path in /usr/lib/postgresql/*/bin/initdb; do [ -x "$path" ] && return 0; done
    have initdb
}
# The same places as tests/support/chromium.py, in the same order.
have_chromium() {
    [ -n "${CHROMIUM:-}" ] || have chromium-headless-shell || have chromium || have chromium-browser || have google-chrome ||
        "$venv/bin/python" -c 'import os, sys
from playwright.sync_api import sync_playwright
with sync_playwright() as p: sys.exit(not os.path.exists(p.chromium.executable_path))' 2>/dev/null
}

missing() {
    have git || printf ' git'
    have_postgresql || printf ' postgresql'
    have redis-server || printf ' redis-server'
    have nginx || printf ' nginx'
    have openssl || printf ' openssl'
    have turnserver || printf ' coturn'
    have ip || printf ' iproute2'
    have janus || printf ' janus'
    have_chromium || printf ' chromium-headless-shell'
}

list=$(missing)
[ -n "$list" ] || exit 0

# shellcheck source=/dev/null
distribution=$(. /etc/os-release 2>/dev/null && printf '%s %s' "${ID:-}" "${ID_LIKE:-}" || :)
as_root=
[ "$(id -u)" = 0 ] || as_root='sudo -n'
case "$distribution" in
    *debian*) can_install=yes ;;
    *) can_install= ;;
esac
if ! have apt-get || { [ -n "$as_root" ] && ! sudo -n true 2>/dev/null; }; then can_install=; fi

if [ -z "$can_install" ]; then
    say "The tests need programs that this machine lacks:$list
They are installed by themselves only on Debian and Ubuntu, as root or with passwordless sudo.
  Debian, Ubuntu: sudo apt-get install postgresql redis-server nginx openssl coturn iproute2 janus chromium git
  Fedora:         sudo dnf install postgresql-server redis nginx openssl coturn iproute janus chromium git
  macOS:          brew install postgresql redis nginx openssl && $venv/bin/playwright install chromium
Chromium elsewhere: set CHROMIUM=/path/to/chromium, or $venv/bin/playwright install chromium"
    exit 1
fi

# Ubuntu's 'chromium' package is only a pointer to a snap; Playwright brings a browser that runs.
browser=
case "$distribution" in
    ubuntu*) case "$list" in
        *chromium*) browser=playwright; list=$(printf '%s' "$list" | sed 's/ chromium-headless-shell//') ;;
    esac ;;
esac

policy=/usr/sbin/policy-rc.d
cluster=/etc/postgresql-common/createcluster.d
log=$(mktemp)
tidy() {
    $as_root rm -f "$cluster/chatapp-tests.conf"
    $as_root rmdir "$cluster" 2>/dev/null || :
    [ -e "$log.policy" ] && $as_root rm -f "$policy"
    [ -e "$log.kept" ] && $as_root mv "$policy.chatapp-tests" "$policy"
    rm -f "$log" "$log.policy" "$log.kept"
}
trap tidy EXIT
trap 'exit 1' INT TERM HUP

run() {
    if ! "$@" </dev/null >"$log" 2>&1; then
        cat "$log" >&2
        say "This failed: $*"
        exit 1
    fi
}
apt() {
    # shellcheck disable=SC2086
    run $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@"
}

if [ -n "$list" ]; then
    say "Installing$list for the tests (once, a minute or two) …"
    # While this file says 101, packages do not start the services they bring.
    if [ -e "$policy" ]; then : >"$log.kept"; $as_root mv "$policy" "$policy.chatapp-tests"; fi
    : >"$log.policy"
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
    $as_root chmod 755 "$policy"
    # And PostgreSQL's makes no cluster.
    $as_root mkdir -p "$cluster"
    printf 'create_main_cluster = off\n' | $as_root tee "$cluster/chatapp-tests.conf" >/dev/null

    apt update
    # shellcheck disable=SC2086
    apt install --no-install-recommends $list

    if [ -d /run/systemd/system ]; then
        for service in postgresql redis-server nginx coturn janus; do
            case "$list" in *"$service"*) $as_root systemctl disable --quiet "$service" || : ;; esac
        done
    fi
fi
[ -z "$browser" ] || run $as_root "$venv/bin/python" -m playwright install --with-deps chromium

list=$(missing)
[ -z "$list" ] || { say "Still missing after installing:$list"; exit 1; }
