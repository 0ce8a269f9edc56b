#!/bin/sh
# Builds the image where there is no Docker engine, and starts it as docker-compose.yaml would: read-only, as its own
# user, without capabilities. Needs root, debootstrap, buildah and the network for packages; a minute or two.
set -eu
cd "$(dirname "$0")/.."

base=.cache/image-base # a Debian of its own, made once
port=${PORT:-8765}
work=$(mktemp -d)
say() { printf '%s\n' "$*" >&2; }
stop() { say "$*"; exit 1; }
failed() { tail -n 30 "$work/log" >&2; exit 1; }
build() { buildah --root "$work/images" --runroot "$work/run" --storage-driver vfs "$@"; }
tidy() {
    build umount --all >/dev/null 2>&1 || :
    rm -rf "$work"
}
trap tidy EXIT
trap 'exit 1' HUP INT TERM

for program in debootstrap buildah unshare setpriv; do
    command -v "$program" >/dev/null || stop "Missing: $program (debootstrap, buildah, util-linux)."
done

if [ ! -e "$base/complete" ]; then
    say 'Making a base …'
    rm -rf "$base"
    debootstrap --variant=minbase bookworm "$base/root" >"$work/log" 2>&1 || failed
    rm -rf "$base"/root/var/cache/apt/* "$base"/root/var/lib/apt/lists/*
    : >"$base/complete"
fi
container=$(build from scratch)
build add --quiet "$container" "$base/root" / >/dev/null
build commit --quiet "$container" localhost/base >/dev/null

# A network that opens TLS with a certificate of its own says so to pip by PIP_CERT; the build must know it too.
set --
if [ -n "${PIP_CERT:-}" ]; then
    printf '[global]\ncert = /ca.crt\n' >"$work/pip.conf"
    set -- --volume "$PIP_CERT:/ca.crt:ro" --volume "$work/pip.conf:/etc/pip.conf:ro"
fi
say 'Building …'
build bud --isolation chroot --format docker --pull-never --network host \
    --build-arg BASE=localhost/base "$@" --tag localhost/chatapp . >"$work/log" 2>&1 || failed

root=$(build mount "$(build from --pull-never localhost/chatapp)")
say "Built: $(du -sm "$root" | cut -f 1) MB, unpacked."
asked() { build inspect --type image --format "$1" localhost/chatapp; }
[ "$(asked '{{.Docker.Config.User}} {{.Docker.Config.StopSignal}} {{.Docker.Config.Cmd}}')" = \
    '10001:10001 SIGTERM [python -m chatapp]' ]
[ -z "$(find "$root/app" "$root/opt" ! -user root)" ]
for tool in opt/chatapp/bin/pip usr/bin/pip usr/bin/gcc; do
    [ ! -e "$root/$tool" ] || stop "The image holds $tool."
done

# In here: the image's own variables and command, no capability, one process tree that ends with this script.
say 'Starting it, read-only …'
asked '{{range .Docker.Config.Env}}{{println .}}{{end}}' >"$work/env"
cat >"$work/inside" <<'INSIDE'
set -eu
root=$1 env=$2 port=$3
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o uid=10001,gid=10001,mode=700 tmpfs "$root/data"
mount -t tmpfs tmpfs "$root/tmp"
mount --rbind /dev "$root/dev"
mount -o remount,bind,ro "$root"
as_in_a_container() {
    # shellcheck disable=SC2046
    env -i $(cat "$env") PORT="$port" chroot "$root" \
        setpriv --reuid 10001 --regid 10001 --clear-groups --no-new-privs --bounding-set=-all \
        --inh-caps=-all sh -c "cd /app && exec $*"
}
as_in_a_container 'touch /app/x' 2>/dev/null && { echo 'The root can be written to.'; exit 1; }
as_in_a_container 'python -m chatapp' &
chatapp=$!
for _ in $(seq 100); do
    as_in_a_container 'python /app/ask.py /ready' >/dev/null && break
    sleep 0.2
done
as_in_a_container 'python /app/ask.py /ready'
as_in_a_container 'python /app/ask.py /up'
kill -TERM "$chatapp"
wait "$chatapp" 2>/dev/null && code=0 || code=$?
[ "$code" = 0 ] || [ "$code" = 143 ] # uvicorn ends by the signal that it was sent
INSIDE
unshare --mount --pid --fork --kill-child sh "$work/inside" "$root" "$work/env" "$port"
say 'The image is well.'
