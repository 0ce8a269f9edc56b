#!/bin/sh
# Brings a version of chatapp to this server, one replica after the other: one always serves, and browsers whose line
# is cut come back to it by themselves. If a replica does not become ready, both return to the version from before.
#   sh deploy/deploy.sh TAG      a tag of the image that .env names as CHATAPP_IMAGE
#   sh deploy/deploy.sh --back   the version from before
# Which versions those are is kept in .env, where compose looks too: CHATAPP_TAG and CHATAPP_PREVIOUS_TAG.
set -eu
cd "$(dirname "$0")/.."

patience=180 # seconds until a replica must be ready; its migrations are part of that
pause=8      # seconds between the two: longer than fail_timeout in nginx.conf

say() { printf '%s\n' "$*" >&2; }
stop() { say "$*"; exit 1; }

setting() { sed -n "s/^$1=//p" .env | tail -n 1; }
# What the environment says goes before .env, for compose as for us.
image=${CHATAPP_IMAGE:-$(setting CHATAPP_IMAGE)}
image=${image:-chatapp}
current=$(setting CHATAPP_TAG)

remember() {
    { grep -v -e '^CHATAPP_TAG=' -e '^CHATAPP_PREVIOUS_TAG=' .env || :
      printf 'CHATAPP_TAG=%s\nCHATAPP_PREVIOUS_TAG=%s\n' "$1" "$2"; } >.env.new
    mv .env.new .env
}

# compose stops the old container (45 s to finish what it has), starts the new one and waits until /ready says yes.
replace() {
    say "$2: $1 …"
    CHATAPP_TAG=$1 docker compose up --detach --no-deps --no-build \
        --wait --wait-timeout "$patience" "$2" && return
    docker compose logs --no-log-prefix --tail 30 "$2" >&2 || :
    return 1
}
# In between, nginx must trust the first again: it keeps away from a replica for a while after it was gone.
one_by_one() { replace "$1" "$2" && sleep "$pause" && replace "$1" "$3"; }

go_back() {
    if [ -z "$current" ] || [ "$current" = "$tag" ]; then
        stop "$tag does not become ready, and there is no other version to return to."
    fi
    say "$tag does not become ready: back to $current."
    # The second replica first: it is the one that is away, or was never touched.
    one_by_one "$current" app-2 app-1 ||
        stop "$current does not become ready either: see 'docker compose ps' and '… logs'."
    stop "$tag was not deployed; $current runs."
}

tag=${1:?"say which tag, or --back"}
[ "$tag" != --back ] || tag=$(setting CHATAPP_PREVIOUS_TAG)
case "$tag" in
    '' | *[!A-Za-z0-9_.-]*) stop "That is no tag of an image: '$tag'." ;;
esac

# Two at once would each undo half of what the other does.
mkdir .deploy.lock 2>/dev/null ||
    stop 'Another deployment is under way. (If it is not: rmdir .deploy.lock)'
trap 'rmdir .deploy.lock' EXIT
trap 'exit 1' HUP INT TERM

# A new version may need one more secret; those that are there stay.
sh deploy/make-secrets.sh

# All that can be known to be wrong is found before anything is touched.
CHATAPP_TAG=$tag docker compose config --quiet
why=$(docker pull --quiet "$image:$tag" 2>&1) ||
    docker image inspect "$image:$tag" >/dev/null 2>&1 ||
    stop "There is no $image:$tag, neither in the registry nor here. $why"

# Databases are started when they are not running, and else left alone: they are updated by hand (deploy/README.md).
docker compose up --detach --no-recreate --wait --wait-timeout "$patience" postgres redis
# nginx takes its configuration anew, or refuses it and goes on as it was.
if [ -n "$(docker compose ps --quiet nginx)" ]; then
    docker compose exec -T nginx nginx -s reload
fi

one_by_one "$tag" app-1 app-2 || go_back
docker compose up --detach --no-deps --no-recreate nginx

[ "$current" = "$tag" ] || remember "$tag" "$current"
say "$tag runs."
