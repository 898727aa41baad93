#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 60
#
# mDNS with its real daemon: avahi, enforced upon, announces its host and finds another, in phase deny
# and with `malformed: deny`; a banned name is not asked for.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

for program in avahi-daemon dig; do
	command -v $program >/dev/null || skip_all "$program is not here"
done
# Another machine: a namespace at the other end of a cable.
unshare -n sleep 600 &
other=$!
at_exit "kill $other"
ip link add cable type veth peer name far || skip_all "no veth pair can be made"
until [ "$(readlink /proc/$other/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
ip link set far netns $other
ip addr add 11.0.0.1/24 dev cable
ip link set cable up
ip route add 224.0.0.0/4 dev cable
nsenter -t $other -n sh -c 'ip addr add 11.0.0.2/24 dev far; ip link set lo up; ip link set far up
	ip route add 224.0.0.0/4 dev far'
user_here avahi 994
mkdir -p /run/avahi-daemon

avahi() { # HOST COMMAND...: run by COMMAND
	local host=$1
	shift
	printf '%s\n' '[server]' "host-name=$host" enable-dbus=no use-ipv6=no disallow-other-stacks=no '[publish]' \
		publish-hinfo=yes publish-workstation=yes >"$work/$host"
	"$@" avahi-daemon --no-drop-root --no-chroot --no-rlimits -f "$work/$host" >"$work/$host.log" 2>&1 &
	at_exit "kill $!"
}

# At its own address, because dig does not take an answer from another than it asked.
asks() { # NAME ADDRESS [COMMAND...]
	"${@:3}" dig +short +tries=1 +time=1 -p 5353 "@$2" "$1" 2>&1 | grep -q '^11\.'
}

free() {
	(echo 0 >"$home/cgroup.procs" && exec "$@")
}

# Both daemons want the same file for their pid: a /run each.
avahi beta free nsenter -t $other -n unshare -m sh -c 'mount -t tmpfs tmpfs /run; mkdir /run/avahi-daemon; exec "$@"' -
tries=0
until asks beta.local 11.0.0.2 || [ $((++tries)) -gt 10 ]; do sleep 0.3; done
is $((tries <= 10)) 1 "a host is found before"
printf '%s\n' 'ban: test' 'malformed: deny' 'rules:' '  - domain: vendor.local' >"$work/policy.yaml"
enforce "$work/policy.yaml"
runs "a host is found while loaded" asks beta.local 11.0.0.2
avahi alpha
tries=0
until asks alpha.local 11.0.0.1 free nsenter -t $other -n || [ $((++tries)) -gt 10 ]; do sleep 0.3; done
is $((tries <= 10)) 1 "a daemon that is enforced upon tells of its host"
unlike "$(cat "$work/alpha.log")" 'not permitted|conflict' "and has nothing to complain of"
says EPERM "a banned name is not asked for" "$peer" dns 224.0.0.251 5353 www.vendor.local
told 'denied +dns +www.vendor.local' "an event tells of it"
unlike "$(cat "$work/events")" 'denied.*(alpha|beta|malformed)' "and of nothing else"
stop
lift
runs "a host is found after" asks beta.local 11.0.0.2
done_testing
