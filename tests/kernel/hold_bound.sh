#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 900
# kernels: 6.1
# boot: own
# cpus: 2
# memory: 2048
# add: /usr/sbin/dropbear
# add: /usr/bin/dbclient
# add: /usr/bin/dropbearkey
# Programs wait for a controller that is stopped, frozen, starved or, with DEBAR_LONG=1, killed: not for
# long.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"
[ -n "${DEBAR_LONG-}" ] || grep -q DEBAR_LONG /proc/cmdline || skip_all "takes many minutes: DEBAR_LONG"

crowd=build/tests/kernel/crowd
group=/sys/fs/cgroup/debar-hold
race=build/tests/kernel/race
many=500
bound=3000 # milliseconds more than without waiting: two of silence, rounds, and a guest is slow
serial=0

field() { # without a program: none may be able to run
	local rest=${output##*"$1="}
	echo "${rest%% *}"
}

# fresh: a program that nobody has seen, in $fresh.
fresh() {
	fresh=$work/fresh.$((++serial))
	"$race" make "$fresh" banned note # a small program that ends with 0
	echo $serial >>"$fresh"
}

policy() {
	printf 'ban: test\nunclassified: %s\nrules:\n  - buildid: %040d\n' "$1" 1 >"$work/policy.yaml"
}

# start: a controller that works.
start() {
	mkdir -p $group
	controller -p "$work/policy.yaml"
	fresh
	runs "a new program runs" "$fresh"
}

# waits HOW WANT: the crowd meets a controller that does not answer.
waits() {
	local how=$1 want=$2
	fresh
	try "$crowd" $many "$fresh"
	tap_note "$how: $output"
	is "$(field "$want") $(($(field longest) < bound))" "$many 1" \
		"$how: $many programs that wait are $want: $output"
	try timeout 5 bash -c 'ls / | cat'
	is $status 0 "$how: a shell works"
	log_in "$how"
	try timeout 5 reboot --help
	is $status 0 "$how: reboot can be run"
}

# A daemon that was there before, and a login that was not.
if [ -x /usr/sbin/dropbear ]; then
	mkdir -p /root/.ssh
	chmod 700 /root /root/.ssh
	grep -qx /bin/bash /etc/shells 2>/dev/null || echo /bin/bash >>/etc/shells
	dropbearkey -t ed25519 -f "$work/host" >/dev/null 2>&1
	dropbearkey -t ed25519 -f "$work/key" 2>/dev/null | grep ^ssh- >/root/.ssh/authorized_keys
	chmod 600 /root/.ssh/authorized_keys
	dropbear -F -E -r "$work/host" -p 127.0.0.1:2222 -P "$work/dropbear.pid" 2>"$work/dropbear" &
	at_exit "kill $!"
fi
log_in() {
	if [ ! -x /usr/sbin/dropbear ]; then
		skip "$1: ssh" "dropbear is not here"
		return
	fi
	try timeout 10 dbclient -y -y -i "$work/key" -p 2222 root@127.0.0.1 'echo in'
	is "$status $output" "0 in" "$1: ssh gets in: $(tail -n 1 "$work/dropbear")"
}

recover() {
	wait "$controller" 2>/dev/null
	echo 0 >$group/cgroup.freeze
	"$DEBAR" unload
}

log_in "without debar"
fresh
try "$crowd" $many "$fresh"
tap_note "without debar: $output"
bound=$(($(field longest) + bound))
policy allow
start
fresh
try "$crowd" $many "$fresh"
is "$(field ran) $(($(field longest) < bound))" "$many 1" "$many new programs at once run: $output"
kill -STOP "$controller"
waits stopped ran
recover

# A service manager freezes the whole service.
home=$(sed -n 's/^0:://p' /proc/self/cgroup)
mkdir -p $group
echo $$ >$group/cgroup.procs
start
echo $$ >"/sys/fs/cgroup$home/cgroup.procs"
echo 1 >$group/cgroup.freeze
waits "frozen with all its children" ran
recover

start
echo "$controller" >$group/cgroup.procs
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
echo 1M >$group/memory.high
waits "starved of memory" ran
echo max >$group/memory.high
kill -9 "$controller"
recover

if [ -n "${DEBAR_LONG-}" ]; then # killed while they wait
	start
	kill -STOP "$controller"
	(
		sleep 0.7
		kill -9 "$controller"
	) &
	waits killed ran
	recover
fi

# The watchdog is killed: the controller does not go on without.
start
kill -9 "$(ps -o pid= --ppid "$controller" | tr -d ' ')"
sleep 1
kill -STOP "$controller"
waits "without its watchdog" ran
kill -9 "$controller"
recover

policy deny
start
known=$fresh
kill -STOP "$controller"
fresh
try "$crowd" $many "$fresh"
is "$(field ran) $(($(field longest) < bound))" "0 1" "unclassified: deny: none of $many unknown programs runs: $output"
runs "a known one does" "$known"
recover
rmdir $group
done_testing
