#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 120
#
# N15: with `learn: true` the addresses of a banned name are refused, too, where the name itself was
# let pass (here: to an excepted user). Whoever answers, or owns a name below the banned one, cannot
# have anything refused that this host needs, nor much of anything.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/../net/lib.sh"

command -v bpftool >/dev/null || PATH=$PATH:/usr/sbin
command -v bpftool >/dev/null || skip_all "bpftool is not here"
# A gateway and a resolver that are neither this host's own nor of a private network.
ip route add 12.0.0.0/8 via 11.0.0.1 dev lo onlink
echo "nameserver 13.0.0.1" >"$work/resolv.conf"
[ -e /etc/resolv.conf ] || : >/etc/resolv.conf
mount --bind "$work/resolv.conf" /etc/resolv.conf
serve 192.0.2.53
cat >"$work/policy.yaml" <<-'POLICY'
	ban: test
	rules:
	  - domain: banned.example
	learn: true
	except:
	  - uid: 4242
	    reason: the resolver
	  - domain: tools.banned.example
	    reason: removal tools
POLICY
grep -v learn "$work/policy.yaml" >"$work/without.yaml"

ask() { # NAME [WAY]: by who may
	setpriv --reuid 4242 --clear-groups "$peer" dns 192.0.2.53 53 "$@"
}

learned() {
	bpftool -j map dump pinned /sys/fs/bpf/debar/debar_learned | jq length
}

asked() { # WHAT NAME [WAY]
	says answer "$1: the answer arrives" ask "${@:2}"
}

# Without a route an address cannot be reached, which says that nothing refused it.
teaches() { # WHAT ADDRESS NAME [WAY]
	asked "$1" "${@:3}"
	says ECONNREFUSED "$1: learnt" "$peer" connect "$2" 443
}

# What shall teach nothing: asked and tried all at once, because a guest is slow.
cases=()
teaches_not() { # WHAT ADDRESS NAME
	cases+=("$1"$'\t'"$2"$'\t'"$3")
}

each_teaches_not() {
	local before what address name asked=() tried=() answers refusals
	before=$(learned)
	for row in "${cases[@]}"; do
		IFS=$'\t' read -r what address name <<<"$row"
		asked+=("dns 192.0.2.53 53 $name")
		tried+=("connect $address 7777 udp") # not TCP: there a closed port refuses, too
	done
	mapfile -t answers < <(printf '%s\n' "${asked[@]}" | setpriv --reuid 4242 --clear-groups "$peer" rows)
	mapfile -t refusals < <(printf '%s\n' "${tried[@]}" | "$peer" rows)
	for i in "${!cases[@]}"; do
		IFS=$'\t' read -r what address name <<<"${cases[i]}"
		is "${answers[i]}" answer "$what: the answer arrives"
		unlike "${refusals[i]}" 'ECONNREFUSED|died' "$what: $address is not refused"
	done
	is "$(learned)" "$before" "and nothing was learnt"
}

enforce "$work/policy.yaml"
says EPERM "others cannot ask" "$peer" dns 192.0.2.53 53 at-9-1-1-1.banned.example
says ENETUNREACH "an address before it is learnt" "$peer" connect 9.1.1.1 443
teaches "an address" 9.1.1.1 at-9-1-1-1.banned.example
told 'denied +connect +9.1.1.1 .*peer' "an event names the address and the program"
says ECONNREFUSED "QUIC to it" "$peer" send 9.1.1.1 443 udp x
says ECONNREFUSED "the same in IPv6's clothes" "$peer" connect ::ffff:9.1.1.1 443
says ENETUNREACH "its neighbour" "$peer" connect 9.1.1.2 443
teaches "through an alias" 9.1.1.3 chain-9-1-1-3.banned.example
teaches "over TCP" 9.1.1.4 at-9-1-1-4.banned.example tcp
teaches "IPv6" 2400:cb00::1 v6-2400cb00000000000000000000000001.banned.example

teaches_not "a name that is not banned" 9.2.0.1 at-9-2-0-1.harmless.example
teaches_not "an excepted name" 9.2.0.2 at-9-2-0-2.tools.banned.example
teaches_not "an address of another name" 9.2.0.3 other-9-2-0-3.banned.example
teaches_not "loopback" 127.0.0.1 at-127-0-0-1.banned.example
teaches_not "this host" 198.51.100.10 at-198-51-100-10.banned.example
teaches_not "the server that answers" 192.0.2.53 at-192-0-2-53.banned.example
teaches_not "the gateway" 11.0.0.1 at-11-0-0-1.banned.example
teaches_not "the resolver" 13.0.0.1 at-13-0-0-1.banned.example
for address in 10.1.1.1 172.16.1.1 192.168.1.1 100.64.0.1 169.254.1.1 224.0.0.1 255.255.255.255 0.0.0.0; do
	teaches_not "a special address" $address "at-${address//./-}.banned.example"
done
teaches_not "IPv6: loopback" ::1 v6-00000000000000000000000000000001.banned.example
teaches_not "IPv6: link-local" fe80::1 v6-fe800000000000000000000000000001.banned.example
teaches_not "IPv6: private" fd00::1 v6-fd000000000000000000000000000001.banned.example
teaches_not "IPv6: loopback of IPv4" 127.0.0.1 v6-00000000000000000000ffff7f000001.banned.example
teaches_not "IPv6: a tunnel" 2002:a00:1::1 v6-20020a00000100000000000000000001.banned.example

each_teaches_not

asked "spoofed answers" spoof.banned.example quiet
for i in 1 2 3 5; do
	says ENETUNREACH "spoofed answers: the one from nobody ($i)" "$peer" connect 9.9.9.$i 443
done
says ECONNREFUSED "spoofed answers: the first that fits" "$peer" connect 9.9.9.4 443

before=$(learned)
asked "200 addresses in one answer" roll-200.banned.example
is "$(learned)" "$before" "200 addresses in one answer: nothing is learnt"
rolls=()
for i in {1..200}; do
	rolls+=("dns 192.0.2.53 53 roll-50.banned.example")
done
printf '%s\n' "${rolls[@]}" >"$work/rolls"
got=$(setpriv --reuid 4242 --clear-groups "$peer" rows <"$work/rolls" | grep -c answer)
is "$got" 200 "10,000 addresses of one name"
is "$(learned)" $((before + 64)) "10,000 addresses of one name: 64 are learnt"

# What is learnt goes with the policy.
mv "$work/without.yaml" "$work/policy.yaml"
runs "debar reload" "$DEBAR" reload
says ENETUNREACH "an address after a reload without learning" "$peer" connect 9.1.1.1 443
asked "without learning" at-9-1-1-5.banned.example
says ENETUNREACH "without learning: not refused" "$peer" connect 9.1.1.5 443
stop
lift
says ENETUNREACH "an address afterwards" "$peer" connect 9.1.1.4 443
done_testing
