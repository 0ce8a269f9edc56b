#!/bin/sh
# Writes all accounts, rooms and messages of one moment into FILE, while people go on talking.
#   sh deploy/backup.sh FILE                        of the PostgreSQL in docker-compose.yaml
#   DATABASE_URL=… sh deploy/backup.sh FILE         of a database elsewhere: postgresql://… or sqlite:///…
# The file holds what people wrote and the hashes of their passwords: keep it like the database itself. Secrets
# (deploy/secrets, or secret_key in DATA_DIR) are not in it. deploy/restore.sh puts it back.
set -eu
umask 077

say() { printf '%s\n' "$*" >&2; }
stop() { say "$*"; exit 1; }

file=${1:?"say into which file"}
case "$file" in /*) ;; *) file=$PWD/$file ;; esac
[ ! -e "$file" ] || stop "$file is there already."
cd "$(dirname "$0")/.."
# Debian keeps PostgreSQL's programs where no PATH looks.
for folder in /usr/lib/postgresql/*/bin; do PATH=$PATH:$folder; done

# Under another name until it is whole: what has the right name can be trusted.
trap 'rm -f "$file.part"' EXIT
trap 'exit 1' HUP INT TERM
rm -f "$file.part"

case "${DATABASE_URL:-}" in
    '') docker compose exec -T postgres pg_dump --format=custom --username=chatapp --dbname=chatapp >"$file.part" ;;
    sqlite:*) "${VENV:-.venv}/bin/python" -m chatapp.sqlite_backup backup "$file.part" ;;
    *)
        # chatapp takes addresses with the name of a driver in them; PostgreSQL's programs do not.
        address=$(printf %s "$DATABASE_URL" | sed 's/^postgres[a-z]*+asyncpg:/postgresql:/')
        pg_dump --format=custom --dbname="$address" --file="$file.part"
        ;;
esac
sync "$file.part"
mv "$file.part" "$file"
say "The backup is $file."
