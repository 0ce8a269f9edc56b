#!/bin/sh
# Makes the secrets that docker-compose.yaml hands to the containers: long random values in deploy/secrets.
# What is there already stays, so it may be called again after an update that needs one more.
set -eu
cd "$(dirname "$0")"
umask 077

random() { od -A n -N 32 -t x1 /dev/urandom | tr -d ' \n'; }

# Each container runs as another user, and compose mounts the files as they are: so everybody may read a file, while
# the folder, which the containers do not see, lets nobody in but its owner.
keep() {
    [ -s "secrets/$1" ] && return
    printf '%s\n' "$2" >"secrets/$1.new"
    chmod 444 "secrets/$1.new"
    mv "secrets/$1.new" "secrets/$1"
    made=yes
}
content() { cat "secrets/$1"; }

made=
mkdir -p secrets
chmod 700 secrets
keep postgres_password "$(random)"
keep database_password "$(random)"
keep database_url "postgresql://chatapp:$(content database_password)@postgres/chatapp"
keep redis_password "$(random)"
keep redis_auth.conf "requirepass $(content redis_password)"
keep redis_url "redis://:$(content redis_password)@redis/0"
keep secret_key "$(random)"
keep metrics_token "$(random)"
keep turn_secret "$(random)"
keep janus_secret "$(random)"
[ -z "$made" ] || printf 'The secrets are in %s/secrets. Keep a copy where the backups are not.\n' "$PWD" >&2
