# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# For tests of names and addresses, on the host or in a guest: the test runs again in network and
# mount namespaces of its own, with addresses of every kind on its loopback, servers that answer
# anything, a bpffs of its own, and a cgroup of its own, which alone is enforced upon. Nothing else of
# the machine is touched.
#
# Addresses: 192.0.2.53 the resolver, 8.8.8.8 a public one, 198.51.100.10 a server, 203.0.113.7 and
# 2001:db8:bad::7 banned, 203.0.113.8 and 2001:db8::8 not. $peer is tests/bypass/peer.

if [ -z "${NET_INSIDE-}" ]; then
	[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP needs root"; exit 0; }
	NET_INSIDE=1 exec unshare -n -m --propagation private bash "$0" "$@"
fi

# shellcheck source=tests/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"

# Servers that scripts/setup has unpacked and not installed.
PATH=$PATH:/usr/sbin:/sbin:/lib/systemd:$PWD/build/debs/usr/sbin:$PWD/build/debs/usr/bin:$PWD/build/debs/lib/systemd

peer=build/tests/bypass/peer
[ -x $peer ] || skip_all "$peer is not built: make helpers"
mount -t bpf bpf /sys/fs/bpf || skip_all "no bpf file system can be mounted"
mkdir -p /run && mount -t tmpfs tmpfs /run
ip link set lo up
for address in 8.8.8.8 192.0.2.53 198.51.100.10 203.0.113.7 203.0.113.8; do
	ip addr add $address/32 dev lo
done
for address in 2001:db8:bad::7 2001:db8::8 64:ff9b::cb00:7107; do
	ip -6 addr add $address/128 dev lo nodad
done

cgroups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
home=$cgroups$(sed -n 's/^0:://p' /proc/self/cgroup)
cgroup=$cgroups/debar-test-$$
mkdir "$cgroup" || skip_all "no cgroup of version 2 can be made"
at_exit "rmdir $cgroup || { sleep 0.5; rmdir $cgroup; }"
at_exit "echo 1 >$cgroup/cgroup.kill"
at_exit "echo $$ >$home/cgroup.procs"
echo $$ >"$cgroup/cgroup.procs"

serving=()
serve() { # ADDRESS...: servers, outside of the test's cgroup
	local address
	for address; do
		(echo 0 >"$home/cgroup.procs" && exec setsid build/tests/bypass/serve "$address" >"$work/serve.$address") &
		serving+=($!)
		at_exit "kill -- -$!"
	done
	for address; do
		until grep -q serving "$work/serve.$address" 2>/dev/null; do sleep 0.05; done
	done
}

# enforce POLICY [OPTION]...: debar run, until lift or the test's end; events in $work/events.
enforce() {
	local policy=$1 tries=0
	shift
	# Here, not by the one in the background: an earlier start's words would be taken for this one's.
	truncate -s 0 "$work/events" "$work/messages"
	(echo 0 >"$home/cgroup.procs" && exec "$DEBAR" run -p "$policy" --cgroup "$cgroup" "$@") \
		>"$work/events" 2>"$work/messages" &
	controller=$!
	at_exit "kill -9 $controller"
	until grep -q '^running' "$work/messages" "$work/events"; do
		if ! kill -0 $controller 2>/dev/null || [ $((++tries)) -gt 600 ]; then
			not_ok "debar run starts" "$(cat "$work/messages")"
			done_testing
		fi
		sleep 0.1
	done
	ok "debar run starts"
}

# The controller goes, and what it loaded stays; then that goes, too.
stop() {
	kill -TERM "$controller"
	wait "$controller"
	is $? 0 "debar run ends cleanly"
}

lift() {
	runs "debar unload" "$DEBAR" unload
}

# told REGEX WHAT: some event's line says so, soon.
told() {
	local tries=0
	until grep -qE -- "$1" "$work/events" || [ $((++tries)) -gt 30 ]; do sleep 0.1; done
	like "$(cat "$work/events")" "$1" "$2"
}

# says WANT WHAT COMMAND...: what the peer says came of it.
says() {
	local want=$1 what=$2
	shift 2
	try "$@"
	is "$output" "$want" "$what"
}

# user_here NAME ID: a user that a daemon asks for, in this test's mount namespace alone.
user_here() {
	local file
	for file in passwd group; do
		grep -v "^$1:" /etc/$file >"$work/$file"
	done
	echo "$1:x:$2:$2::/:/usr/sbin/nologin" >>"$work/passwd"
	echo "$1:x:$2:" >>"$work/group"
	for file in passwd group; do
		mount --bind "$work/$file" /etc/$file
	done
}

rows=()
# each yes|no NAME WHAT: every program of rows, "TITLE|COMMAND" with NAME for the name and "\ " for a space
# within a word, has its answer; or hears no at once, and not after a resolver's time-outs.
declare -A usual # milliseconds that a row takes where nothing is refused
each() {
	local row line words began took
	for row in "${rows[@]}"; do
		line=${row#*|}
		line=${line//NAME/$2}
		IFS=' ' read -r -a words <<<"${line//\\ /$'\001'}"
		began=$(date +%s%N)
		try "${words[@]//$'\001'/ }"
		took=$((($(date +%s%N) - began) / 1000000))
		if [ "$1" = yes ]; then
			usual[$row]=$took
			is $status 0 "${row%%|*}: $3"
		elif [ $status -ne 0 ] && [ $took -lt $((2000 + ${usual[$row]-0})) ]; then
			ok "${row%%|*}: $3 ($took ms)"
		else
			not_ok "${row%%|*}: $3" "status $status after $took ms: $output $errors"
		fi
	done
}
