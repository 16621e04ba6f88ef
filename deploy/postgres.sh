#!/bin/sh
# Creates the users of docker-compose.yml's database, or gives them the passwords that deploy/secrets has now: the one that owns
# the database, and the api's, to which `staffeln migrate up` grants only what the api needs. Neither is a superuser.
# Needs PGHOST, PGUSER (a superuser) and PGDATABASE; can be run again at any time.
set -eu
export SECRETS="${SECRETS:-/run/secrets}"
PGPASSWORD=$(cat "$SECRETS/postgres_password")
export PGPASSWORD
psql -q -v ON_ERROR_STOP=1 -v database="$PGDATABASE" -v owner=staffeln -v api=staffeln_api <<'SQL' || {
\set password `cat "$SECRETS/database_password"`
\set api_password `cat "$SECRETS/api_database_password"`
SELECT format('CREATE ROLE %I LOGIN', name) FROM unnest(ARRAY[:'owner', :'api']) AS name
WHERE name NOT IN (SELECT rolname FROM pg_roles) \gexec
ALTER ROLE :"owner" PASSWORD :'password';
ALTER ROLE :"api" PASSWORD :'api_password';
ALTER DATABASE :"database" OWNER TO :"owner";
SQL
	echo "the database users were not set. If Postgres refuses the password of $PGUSER: it has kept that of its first start, while" \
		"deploy/secrets/postgres_password is newer. Set it: docker compose exec postgres psql -U $PGUSER -c '\\password'" >&2
	exit 1
}
