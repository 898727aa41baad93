#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 120
#
# The known ways round a ban of names and addresses, N1 to N15, each tried before, while and after a
# policy is loaded, with a neighbour that has to go on working. What is a stated limit says so.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/../net/lib.sh"

ip link set lo mtu 1500
serve 192.0.2.53 8.8.8.8 198.51.100.10 203.0.113.7 203.0.113.8 2001:db8:bad::7 2001:db8::8 \
	64:ff9b::cb00:7107
cat >"$work/policy.yaml" <<-'POLICY'
	ban: test
	rules:
	  - domain: banned.example
	  - domain: =only.example.org
	  - domain: dns.resolver.example
	  - network: 203.0.113.7
	  - network: 2001:db8:bad::/48
	malformed: deny
	except:
	  - domain: tools.banned.example
	    reason: removal tools
POLICY

# Rows: what, what comes of it when it is refused, the command, and the same of a neighbour.
rows=()
row() { # WHAT REFUSED COMMAND NEIGHBOUR
	rows+=("$1"$'\t'"$2"$'\t'"$3"$'\t'"$4")
}

n=www.banned.example o=www.harmless.example
row "N1: another resolver" EPERM "dns 8.8.8.8 53 $n" "dns 8.8.8.8 53 $o"
row "N1: the name itself" EPERM "dns 192.0.2.53 53 banned.example" "dns 192.0.2.53 53 notbanned.example"
row "N1: only this name" EPERM "dns 192.0.2.53 53 only.example.org" "dns 192.0.2.53 53 x.only.example.org"
row "N1: mDNS's port" EPERM "dns 192.0.2.53 5353 $n" "dns 192.0.2.53 5353 $o"
for way in tcp tcpsplit tcppipe tcpmany fastopen; do
	row "N2: over TCP, $way" ECONNABORTED "dns 192.0.2.53 53 $n $way" "dns 192.0.2.53 53 $o $way"
done
row "N3: mixed case" EPERM "dns 192.0.2.53 53 wWw.BaNNed.eXample" "dns 192.0.2.53 53 wWw.HaRMless.eXample"
row "N3: a name above of 63 bytes" EPERM \
	"dns 192.0.2.53 53 012345678901234567890123456789012345678901234567890123456789012.banned.example" \
	"dns 192.0.2.53 53 012345678901234567890123456789012345678901234567890123456789012.harmless.example"
many=$(printf 'a.%.0s' {1..119})
row "N3: 121 labels" EPERM "dns 192.0.2.53 53 ${many}banned.example" "dns 192.0.2.53 53 ${many}hanned.example"
row "N3: two questions" EPERM "dns 192.0.2.53 53 $n qd2" "dns 192.0.2.53 53 $o qd2"
row "N3: a pointer in the question" EPERM "dns 192.0.2.53 53 $n pointer" "dns 192.0.2.53 53 $o"
row "N3: EDNS" EPERM "dns 192.0.2.53 53 $n edns" "dns 192.0.2.53 53 $o edns"
row "N3: another opcode" EPERM "dns 192.0.2.53 53 $n notify" "dns 192.0.2.53 53 $o notify"
row "N4: an alias of it" timeout "dns 192.0.2.53 53 alias-www-banned-example.example.net" \
	"dns 192.0.2.53 53 alias-www-harmless-example.example.net"
for way in sendmmsg short connected; do
	row "N5: $way" EPERM "dns 192.0.2.53 53 $n $way" "dns 192.0.2.53 53 $o $way"
done
row "N6: an address" ECONNREFUSED "connect 203.0.113.7 443" "connect 203.0.113.8 443"
row "N6: an address of IPv6" ECONNREFUSED "connect 2001:db8:bad::7 443" "connect 2001:db8::8 443"
row "N6: IPv4 in IPv6" ECONNREFUSED "connect ::ffff:203.0.113.7 443" "connect ::ffff:203.0.113.8 443"
row "N6: NAT64" ECONNREFUSED "connect 64:ff9b::203.0.113.7 443" "connect 2001:db8::8 443"
row "N6: a datagram" ECONNREFUSED "send 203.0.113.7 7777 udp x" "send 203.0.113.8 7777 udp x"
for way in early tcp split1 split9 records big; do
	row "N7: TLS, $way" ECONNABORTED "tls 198.51.100.10 443 $n $way" "tls 198.51.100.10 443 $o $way"
done
row "N7: TLS on another port" ECONNABORTED "tls 198.51.100.10 7777 $n tcp" "tls 198.51.100.10 7777 $o tcp"
row "N7: TLS without a name, to a banned address" ECONNREFUSED "tls 203.0.113.7 443  tcp" "tls 203.0.113.8 443  tcp"
for way in tcp split7 fastopen; do
	row "N8: HTTP, $way" ECONNABORTED "send 198.51.100.10 80 $way GET_/_HTTP/1.1\\r\\nHost:_$n\\r\\n\\r\\n" \
		"send 198.51.100.10 80 $way GET_/_HTTP/1.1\\r\\nHost:_$o\\r\\n\\r\\n"
done
row "N8: Host in another case" ECONNABORTED "send 198.51.100.10 80 tcp GET_/_HTTP/1.1\\r\\nX:_y\\r\\nhOST:BANNED.example:80\\r\\n\\r\\n" \
	"send 198.51.100.10 80 tcp GET_/_HTTP/1.1\\r\\nX:_banned.example\\r\\n\\r\\n"
row "N8: the URI of a proxy" ECONNABORTED "send 198.51.100.10 80 tcp GET_http://u:p@$n/_HTTP/1.1\\r\\n\\r\\n" \
	"send 198.51.100.10 80 tcp GET_http://u:p@$o/?banned.example_HTTP/1.1\\r\\n\\r\\n"
row "N8: CONNECT" ECONNABORTED "send 198.51.100.10 7777 tcp CONNECT_$n:443_HTTP/1.1\\r\\n\\r\\n" \
	"send 198.51.100.10 7777 tcp CONNECT_$o:443_HTTP/1.1\\r\\n\\r\\n"
row "N8: the second of two requests" ECONNABORTED \
	"send 198.51.100.10 80 tcp GET_/_HTTP/1.1\\r\\nHost:_a.example\\r\\n\\r\\nGET_/_HTTP/1.1\\r\\nHost:_$n\\r\\n\\r\\n" \
	"send 198.51.100.10 80 tcp GET_/_HTTP/1.1\\r\\nHost:_a.example\\r\\n\\r\\nGET_/_HTTP/1.1\\r\\nHost:_$o\\r\\n\\r\\n"
row "N9: QUIC to a banned address" ECONNREFUSED "send 203.0.113.7 443 udp x" "send 203.0.113.8 443 udp x"
row "N10: DoT to a resolver whose name is in the rules" ECONNABORTED "tls 198.51.100.10 853 dns.resolver.example tcp" \
	"tls 198.51.100.10 853 dns.other.example tcp"
row "N11: a raw socket, the query" EPERM "dns 192.0.2.53 53 $n raw" "dns 192.0.2.53 53 $o raw"
row "N11: a raw socket, the address" EPERM "send 203.0.113.7 7777 raw x" "send 203.0.113.8 7777 raw x"
row "N11: a raw socket that is connected elsewhere" EPERM "odd send 203.0.113.7 203.0.113.8 hdrincl" \
	"odd send 203.0.113.8 203.0.113.8 hdrincl"
for way in uring udplite ipoptions big gso; do
	row "N5: $way" EPERM "odd dns 192.0.2.53 53 $n $way" "odd dns 192.0.2.53 53 $o $way"
done
row "N5: an extension header" EPERM "odd dns 2001:db8::8 53 $n dstopts" "odd dns 2001:db8::8 53 $o dstopts"
row "N7: TLS, io_uring" ECONNABORTED "odd tls 198.51.100.10 443 $n uring" "odd tls 198.51.100.10 443 $o uring"
row "N12: TLS, bound to a device" ECONNABORTED "odd tls 198.51.100.10 443 $n bound" "odd tls 198.51.100.10 443 $o bound"
row "N12: DNS over MPTCP" ECONNABORTED "odd dns 192.0.2.53 53 $n mptcp" "odd dns 192.0.2.53 53 $o mptcp"
row "N12: TLS over MPTCP" ECONNABORTED "odd tls 198.51.100.10 443 $n mptcp" "odd tls 198.51.100.10 443 $o mptcp"
for way in uring mptcp; do
	row "N12: $way to a banned address" ECONNREFUSED "odd connect 203.0.113.7 443 $way" \
		"odd connect 203.0.113.8 443 $way"
done
# No hook at connect: the packet is dropped.
row "N12: UDP-Lite to a banned address" EPERM "odd connect 203.0.113.7 443 udplite" "odd connect 203.0.113.8 443 udplite"
row "N12: SCTP to a banned address" timeout "odd connect 203.0.113.7 7777 sctp" "odd connect 203.0.113.8 7777 sctp"
row "N12: Fast Open to a banned address" ECONNREFUSED "send 203.0.113.7 7777 fastopen x" "send 203.0.113.8 7777 fastopen x"

# Many commands in one process, because a shell is slow in a guest: fills $results.
results=()
all() { # COMMAND...
	mapfile -t results < <(printf '%s\n' "$@" | $peer rows)
}

worked() { # WHAT RESULT
	if [[ $2 == answer || $2 == connected ]]; then
		ok "$1"
	else
		not_ok "$1" "$2"
	fi
}

works() { # WHAT COMMAND
	all "$2"
	worked "$1" "${results[0]}"
}

# What this kernel cannot do at all is no row.
mapfile -t results < <(printf '%s\n' "${rows[@]}" | cut -f 3 | $peer rows)
commands=() neighbours=() here=()
for i in "${!rows[@]}"; do
	IFS=$'\t' read -r what refused bad neighbour <<<"${rows[i]}"
	if [ "${results[i]}" = none ]; then
		skip "$what" "this kernel has no such sockets"
		continue
	fi
	here+=("${rows[i]}")
	commands+=("$bad")
	neighbours+=("$neighbour")
done
rows=("${here[@]}")

each_works() { # before | after
	local i
	all "${commands[@]}"
	for i in "${!rows[@]}"; do
		what=${rows[i]%%$'\t'*}
		# A pointer that leads ahead is answered by no server.
		[[ $what == *pointer* ]] || worked "$what: works $1" "${results[i]}"
	done
}

each_works before
enforce "$work/policy.yaml"
all "${commands[@]}"
for i in "${!rows[@]}"; do
	IFS=$'\t' read -r what refused bad neighbour <<<"${rows[i]}"
	# On a slow machine the user time-out may be faster than the controller.
	[ "$refused${results[i]}" != ECONNABORTEDETIMEDOUT ] || results[i]=$refused
	is "${results[i]}" "$refused" "$what: refused while loaded"
done
all "${neighbours[@]}"
for i in "${!rows[@]}"; do
	worked "${rows[i]%%$'\t'*}: its neighbour works" "${results[i]}"
done
works "an exception below a banned name" "dns 192.0.2.53 53 x.tools.banned.example"
told 'denied +dns +www.banned.example .*banned.example.*peer' "an event names the layer, the name, the rule and the program"
told 'denied +tls +www.banned.example' "an event of TLS"
told 'denied +http +www.banned.example' "an event of HTTP"
told 'denied +connect +203.0.113.7' "an event of connect"
told 'denied +quic +203.0.113.7' "an event of QUIC"

# N6: one address, spelled otherwise.
for spelled in 3405803783 0xcb.0.070407 203.0.28935; do
	try bash -c "echo >/dev/tcp/$spelled/443"
	like "$status $errors" '^1 .*refused' "N6: $spelled is refused"
done
runs "N6: its neighbour is not" bash -c 'echo >/dev/tcp/3405803784/443'

# N13: a cgroup below, another network namespace.
mkdir "$cgroup/below"
at_exit "rmdir $cgroup/below"
says EPERM "N13: a cgroup below" bash -c "echo \$\$ >$cgroup/below/cgroup.procs; exec $peer dns 192.0.2.53 53 $n"
mkfifo "$work/empty"
build/tests/bench/empty "$cgroup/below" <"$work/empty" >"$work/empty.id" &
exec 8>"$work/empty"
until [ -s "$work/empty.id" ]; do sleep 0.05; done
says EPERM "N13: a cgroup below that has programs of its own" \
	bash -c "echo \$\$ >$cgroup/below/cgroup.procs; exec $peer dns 192.0.2.53 53 $n"
says ECONNREFUSED "N13: and an address" \
	bash -c "echo \$\$ >$cgroup/below/cgroup.procs; exec $peer connect 203.0.113.7 443"
exec 8>&-
says ECONNREFUSED "N13: another network namespace" unshare -n bash -c \
	"ip link set lo up; ip addr add 203.0.113.7/32 dev lo; exec $peer connect 203.0.113.7 443"

# N14: one address, two names.
says ECONNABORTED "N14: a shared address, the banned name" $peer tls 198.51.100.10 443 $n tcp
works "N14: a shared address, another name" "tls 198.51.100.10 443 $o tcp"

stop
says EPERM "with no controller: a query" $peer dns 192.0.2.53 53 $n
says ECONNREFUSED "with no controller: an address" $peer connect 203.0.113.7 443
begun=$(date +%s%N)
says ETIMEDOUT "with no controller: TLS" $peer tls 198.51.100.10 443 $n tcp
took=$((($(date +%s%N) - begun) / 1000000))
# A guest's clock runs on while the machine does other things.
limit=1000
[ ! -e /job.env ] || limit=5000
is $((took < limit)) 1 "and it ends within $limit ms ($took ms)"
all "send 198.51.100.10 80 fastopen GET_/_HTTP/1.1\\r\\nHost:_$n\\r\\n\\r\\n"
is "${results[0]}" ETIMEDOUT "with no controller: HTTP, Fast Open"
lift
each_works after
done_testing
