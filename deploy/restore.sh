#!/bin/sh
# Puts back what deploy/backup.sh wrote. What was said since then is gone. It is all or nothing: when it fails, the
# database is as before.
#   sh deploy/restore.sh FILE                       into the PostgreSQL in docker-compose.yaml; stops and starts chatapp
#   DATABASE_URL=… sh deploy/restore.sh FILE        into a database elsewhere; stop chatapp first, start it afterwards
# Afterwards the database has a new epoch: browsers that are still open load their pages afresh, instead of taking
# numbers that are now given out a second time for what they know.
set -eu

say() { printf '%s\n' "$*" >&2; }
stop() { say "$*"; exit 1; }

file=${1:?"say from which file"}
case "$file" in /*) ;; *) file=$PWD/$file ;; esac
[ -r "$file" ] || stop "$file cannot be read."
cd "$(dirname "$0")/.."
for folder in /usr/lib/postgresql/*/bin; do PATH=$PATH:$folder; done
python=${VENV:-.venv}/bin/python

# Without owners, so that it can be put back on a server where accounts have other names.
put_back() { "$@" --clean --if-exists --single-transaction --exit-on-error --no-owner --no-privileges; }
not_renewed() {
    stop 'The backup is back, but it has its old epoch. Before chatapp is started, this must go through:' "$*"
}

in_containers() {
    docker compose stop app-1 app-2
    put_back docker compose exec -T postgres pg_restore --username=chatapp --dbname=chatapp <"$file" ||
        { docker compose start app-1 app-2; stop 'Nothing was put back: everything is as before.'; }
    set -- docker compose run --rm --no-deps -T app-1 python -m chatapp.renew_epoch
    "$@" || not_renewed "$@"
    docker compose start app-1 app-2
}

into_postgresql() {
    address=$(printf %s "$DATABASE_URL" | sed 's/^postgres[a-z]*+asyncpg:/postgresql:/')
    running=$(psql --no-psqlrc --tuples-only --no-align --dbname="$address" --command="
        SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'chatapp%'")
    [ "$running" = 0 ] || stop 'chatapp is running on this database: stop it first.'
    put_back pg_restore --dbname="$address" <"$file" || stop 'Nothing was put back: everything is as before.'
    "$python" -m chatapp.renew_epoch || not_renewed "$python -m chatapp.renew_epoch"
}

into_sqlite() {
    "$python" -m chatapp.sqlite_backup restore "$file" || stop 'Nothing was put back: everything is as before.'
    "$python" -m chatapp.renew_epoch || not_renewed "$python -m chatapp.renew_epoch"
}

case "${DATABASE_URL:-}" in
    '') in_containers ;;
    sqlite:*) into_sqlite ;;
    *) into_postgresql ;;
esac
say "$file is back."
