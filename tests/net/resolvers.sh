#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 120
#
# Whoever asks for a banned name hears no at once, and not after time-outs: GNU's resolver, which looks
# at the error of its send; dig and musl, which wait for an answer and get one; systemd-resolved's
# stub; each with a neighbour that resolves.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

serve 192.0.2.53 8.8.8.8
ip -6 addr add 2001:db8::53/128 dev lo nodad
serve 2001:db8::53
echo "nameserver 192.0.2.53" >"$work/resolv.conf"
mount --bind "$work/resolv.conf" /etc/resolv.conf
printf '%s\n' 'ban: test' 'rules:' '  - domain: banned.example' >"$work/policy.yaml"

# dig ends with 0 whenever it got an answer.
dig_finds() {
	dig +short +tries=1 +time=5 "$@" | grep -q '^[0-9]'
}

# Nobody listens there, so that "not connected" means that the name was found.
curl_finds() {
	curl -s -m 8 "http://$1:1/"
	[ $? -eq 7 ]
}

musl=$work/musl
rows=("getent|getent ahosts NAME")
if command -v dig >/dev/null; then
	rows+=("dig|dig_finds NAME" "dig, a public resolver|dig_finds @8.8.8.8 NAME" "dig without EDNS|dig_finds +noedns NAME"
		"dig over IPv6|dig_finds @2001:db8::53 NAME" "dig over TCP|dig_finds +tcp NAME")
else
	skip dig "dig is not here"
fi
if command -v musl-gcc >/dev/null && musl-gcc -static -o "$musl" tests/net/resolve.c 2>/dev/null; then
	rows+=("musl|$musl NAME")
else
	skip musl "musl-gcc is not here"
fi
command -v curl >/dev/null && rows+=("curl|curl_finds NAME")

# Not Debian's service: its installation would change the machine's own resolver.
resolved=$(type -P systemd-resolved)
# It asks nobody as long as there is nothing but loopback.
if [ -n "$resolved" ] && ip link add dv0 type veth peer name dv1 2>/dev/null; then
	ip addr add 11.0.0.2/24 dev dv0
	ip link set dv0 up
	ip link set dv1 up
	user_here systemd-resolve 993
	mkdir -p /run/systemd/resolve /run/systemd/resolved.conf.d
	printf '%s\n' '[Resolve]' DNS=192.0.2.53 FallbackDNS= LLMNR=no MulticastDNS=no DNSSEC=no Cache=no \
		>/run/systemd/resolved.conf.d/test.conf
	chown 993:993 /run/systemd/resolve
	$resolved >"$work/resolved" 2>&1 &
	at_exit "kill $!"
	rows+=("systemd-resolved's stub|stub NAME")
	command -v socat >/dev/null && rows+=("systemd-resolved, asked by varlink|varlink NAME")
else
	skip systemd-resolved "it is not here"
fi

# As nss-resolve asks: no packet, so that it is the daemon whose question is refused.
varlink() {
	printf '{"method":"io.systemd.Resolve.ResolveHostname","parameters":{"name":"%s"}}\0' "$1" |
		timeout 9 socat -t 8 - UNIX:/run/systemd/resolve/io.systemd.Resolve,null-eof | head -z -n 1 |
		tr -d '\0' | grep -q '"addresses"'
}

# GNU's resolver, with the stub for its only server.
stub() {
	echo 'nameserver 127.0.0.53' >"$work/stub.conf"
	# shellcheck disable=SC2016
	unshare -m bash -c 'mount --bind "$2" /etc/resolv.conf && exec getent ahosts "$1"' - "$1" "$work/stub.conf"
}

each yes www.banned.example "works before"
enforce "$work/policy.yaml"
each no www.banned.example "hears no, soon"
each yes www.harmless.example "its neighbour works"
if command -v dig >/dev/null; then
	like "$(dig +tries=1 www.banned.example)" 'EDE: 15 \(Blocked\)' "dig is told why"
	like "$(dig +tries=1 +noedns www.banned.example)" 'status: NXDOMAIN' "and has a plain answer without EDNS"
fi
told 'denied +dns +www.banned.example .*getent' "an event names getent"
[ ! -x "$musl" ] || told 'denied +dns +www.banned.example .*musl' "an event names the program with musl"
[ -z "$resolved" ] || told 'denied +dns +www.banned.example .*resolve' "an event names systemd-resolved"

# The answers are for whoever waits, and for nobody else.
says EPERM "a send that is looked at" $peer dns 192.0.2.53 53 www.banned.example
stop
lift
each yes www.banned.example "works after"
done_testing
