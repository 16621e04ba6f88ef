# Installs the Debian packages that are its arguments. No service is started and no database cluster is made:
# two files prevent that as long as this runs, and are restored afterwards.
set -eu
export DEBIAN_FRONTEND=noninteractive

policy=/usr/sbin/policy-rc.d
kept=$policy.before-staffeln-tests
clusters=/etc/postgresql-common/createcluster.d
cluster=$clusters/staffeln-tests.conf

restore() {
	rm -f "$policy" "$cluster"
	if [ -e "$kept" ]; then mv "$kept" "$policy"; fi
	rmdir "$clusters" 2>/dev/null || true
}
trap restore EXIT
trap 'exit 1' HUP INT TERM

# A copy that an interrupted run left is the original.
if [ -e "$policy" ] && [ ! -e "$kept" ]; then mv "$policy" "$kept"; fi
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"
mkdir -p "$clusters"
echo 'create_main_cluster = false' >"$cluster"

# Lists that cannot be renewed may be good enough: the installation fails if they are not.
apt-get -q update </dev/null || echo "apt-get update failed" >&2
apt-get -q -y -o DPkg::Lock::Timeout=500 install --no-install-recommends "$@" </dev/null
