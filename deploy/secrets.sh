#!/bin/sh
# Creates the secrets that docker-compose.yml names, in deploy/secrets or in the given folder, and keeps existing ones, so
# it can be run again at any time. It asks for the password of the cloud user; the others are random.
#
# Only its owner can access the folder. The files in it are readable by all: compose binds them into the containers with
# owner and mode unchanged, and the users that read them there do not exist on this machine.
set -eu
umask 022
folder=${1:-$(dirname "$0")/secrets}
mkdir -p "$folder"
chmod 700 "$folder"
cd "$folder"

# make NAME COMMAND...: writes the output of the command to the file NAME, unless the file exists.
make() {
	name=$1
	shift
	[ -s "$name" ] || { "$@" >"$name.new" && mv "$name.new" "$name"; } || { rm -f "$name.new"; exit 1; }
}

random() { od -An -v -N24 -tx1 /dev/urandom | tr -d ' \n'; }

ask() {
	if [ -t 0 ]; then
		printf 'password of the cloud user (OS_USERNAME): ' >&2
		stty -echo
		trap 'stty echo' EXIT
	fi
	IFS= read -r password
	if [ -t 0 ]; then
		stty echo
		trap - EXIT
		echo >&2
	fi
	[ -n "$password" ] || { echo 'no password was given: nothing is made' >&2; return 1; }
	printf '%s' "$password"
}

make os_password ask
make postgres_password random # of its superuser, which only deploy/postgres.sh uses
make database_password random
make api_database_password random
make redis_password random
make api_queues_token random
make database_url printf 'postgres://staffeln:%s@postgres:5432/staffeln?sslmode=disable' "$(cat database_password)"
make api_database_url printf 'postgres://staffeln_api:%s@postgres:5432/staffeln?sslmode=disable' "$(cat api_database_password)"
make redis_url printf 'redis://:%s@redis:6379/0' "$(cat redis_password)"
make redis_conf printf 'requirepass %s\n' "$(cat redis_password)" # a file, because every user can read arguments
make asynqmon.env printf 'REDIS_URL=%s\n' "$(cat redis_url)"       # asynqmon reads only its environment
