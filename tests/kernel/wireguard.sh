#!/bin/bash
# SPDX-License-Identifier: MIT
# kernels: 6.1
# timeout: 120
# add: /usr/bin/wg
#
# WireGuard on port 53, as it is used where nothing else gets out: it is no DNS, and goes on, with
# `malformed: deny`, too, because the kernel's own packets are nobody's. What is said inside the tunnel is
# read like everything else.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

command -v wg >/dev/null || skip_all "wg is not here"
modprobe wireguard 2>/dev/null || skip_all "this kernel has no WireGuard"
peer=build/tests/bypass/peer
unshare -n sleep 600 &
other=$!
at_exit "kill $other"
ip link add cable type veth peer name far
at_exit "ip link del cable"
until [ "$(readlink /proc/$other/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
ip link set far netns $other
there() {
	nsenter -t $other -n "$@"
}
ip addr add 11.0.0.1/24 dev cable
ip link set cable up
there ip addr add 11.0.0.2/24 dev far
there ip link set far up
there ip link set lo up
for at in 1 2; do
	(umask 077 && wg genkey >"$work/key$at")
	wg pubkey <"$work/key$at" >"$work/public$at"
done

# tunnel AT COMMAND...: one end of it, where COMMAND runs.
tunnel() {
	local at=$1 far=$((3 - $1))
	shift
	"$@" ip link add tunnel type wireguard
	"$@" wg set tunnel listen-port 53 private-key "$work/key$at" peer "$(cat "$work/public$far")" \
		allowed-ips "12.0.0.$far/32" endpoint "11.0.0.$far:53"
	"$@" ip addr add "12.0.0.$at/24" dev tunnel
	"$@" ip link set tunnel up
}

ends() {
	ip link del tunnel
	there ip link del tunnel
}

# As from nothing: the handshake is made anew.
again() {
	ends
	tunnel 1 env
	tunnel 2 there
}

says() { # WANT WHAT COMMAND...
	local want=$1 what=$2
	shift 2
	try "$@"
	is "$output" "$want" "$what"
}

tunnel 1 env
tunnel 2 there
at_exit ends
there build/tests/bypass/serve 12.0.0.2 443 >"$work/serving" &
at_exit "kill $!"
until grep -q serving "$work/serving"; do
	kill -0 $! 2>/dev/null || skip_all "no server: $(cat "$work/serving")"
	sleep 0.05
done

printf 'ban: test\nrules:\n  - domain: banned.example\n  - network: 203.0.113.7\n' >"$work/policy.yaml"
says connected "before: through the tunnel" $peer connect 12.0.0.2 443
again
says connected "before: through a new one" $peer connect 12.0.0.2 443
load "$work/policy.yaml"
says connected "a tunnel that was there goes on" $peer connect 12.0.0.2 443
again
says connected "a new one is made" $peer connect 12.0.0.2 443
is "$(wg show tunnel latest-handshakes | awk '{ print ($2 > 0) }')" 1 "by a handshake on port 53"
says answer "TLS inside of it" $peer tls 12.0.0.2 443 www.harmless.example tcp
says ETIMEDOUT "to a banned name it is refused" $peer tls 12.0.0.2 443 www.banned.example tcp
sed -i '1a malformed: deny' "$work/policy.yaml"
load "$work/policy.yaml"
again
says connected "with malformed: deny, too" $peer connect 12.0.0.2 443
unload
says connected "afterwards" $peer connect 12.0.0.2 443
done_testing
