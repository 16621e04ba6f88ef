#!/bin/sh
# Runs once, before the first start of the database of docker-compose.yml. It creates the user that owns the database, and
# the api's user, to which `staffeln migrate up` grants only what the api needs. Neither is a superuser.
set -eu
export SECRETS="${SECRETS:-/run/secrets}"
psql -q -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -v database="$POSTGRES_DB" -v owner=staffeln -v api=staffeln_api <<'SQL'
\set password `cat "$SECRETS/database_password"`
\set api_password `cat "$SECRETS/api_database_password"`
CREATE ROLE :"owner" LOGIN PASSWORD :'password';
CREATE ROLE :"api" LOGIN PASSWORD :'api_password';
ALTER DATABASE :"database" OWNER TO :"owner";
SQL
