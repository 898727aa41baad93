# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What a connection, and a question of DNS with its answer, costs in instructions, both ends of it, where
# nothing is attached, where programs that do nothing are on the same hooks, and with debar. What is
# asked for is a name and an address that the policy does not name.
#
# subject: names and addresses, counted: instructions of both ends of a connection, and of a question
# guest: --icount -t 600
# goal: connect-counted debar* 3 percent
# goal: dns-counted debar* 3 percent
set -eu
cd "${BENCH_TREE-/debar}"
mount -t bpf bpf /sys/fs/bpf 2>/dev/null || :
ip link set lo up
root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
off=$root/off on=$root/on
mkdir "$off" "$on"
echo +cpu >"$root/cgroup.subtree_control" 2>/dev/null || :

row() { # NAME VARIANT UNIT VALUE
	printf '{"name": "%s", "variant": "%s", "kernel": "%s", "unit": "%s", "value": %s}\n' "$1" "$2" \
		"$(uname -r)" "$3" "$4"
}

# shellcheck disable=SC2046 # numbers
count() { # VARIANT
	local name
	for name in connect dns; do
		set -- "$1" $(build/tests/bench/connections 20 50 "$off" "$on" ${name/connect/})
		row $name-counted "$1" instructions "$3"
		row $name-counted "$1: more" percent "$(awk "BEGIN { print ($3 / $2 - 1) * 100 }")"
	done
}

count nothing
mkfifo /tmp/open
build/tests/bench/empty "$on" </tmp/open >/tmp/empty &
exec 7>/tmp/open
until [ -s /tmp/empty ]; do sleep 0.1; done
count "empty programs"
exec 7>&-
wait
printf 'ban: bench\nrules:\n  - domain: banned.example\n  - network: 203.0.113.7\n' >/tmp/both.yaml
printf 'ban: bench\nrules:\n  - domain: banned.example\n' >/tmp/names.yaml
printf 'ban: bench\nrules:\n  - network: 203.0.113.7\n' >/tmp/networks.yaml
for policy in both names networks; do
	build/debar load -p /tmp/$policy.yaml --cgroup "$on" >/dev/null
	case $policy in
	both) count debar ;;
	*) count "debar, $policy alone" ;;
	esac
	build/debar unload >/dev/null
	sleep 0.5
done
