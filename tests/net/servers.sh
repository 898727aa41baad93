#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 120
#
# A real name server (BIND): answers that lead on to a banned name, of every type, are refused, and
# what else it is for goes on: zone transfers, updates. So do mDNS's real daemon, connections that
# were there before debar, and WireGuard's packets on DNS's port.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

for program in named dig nsupdate; do
	command -v $program >/dev/null || skip_all "$program is not here"
done
chmod 755 "$work"
mkdir "$work/named"
# Types are numbers where old tools do not know the words.
cat >"$work/named/example.net" <<-'ZONE'
	$TTL 60
	@ SOA ns hostmaster 1 3600 600 86400 60
	@ NS ns
	ns A 192.0.2.53
	www A 198.51.100.10
	cname CNAME www.banned.example.
	dname DNAME banned.example.
	svcb SVCB 1 svc.banned.example. alpn=h2
	https HTTPS 1 cdn.banned.example. alpn=h2,h3
	long CNAME long1
	long1 CNAME long2
	long2 CNAME www.banned.example.
	other-cname CNAME www
	other-dname DNAME harmless.example.
	other-svcb SVCB 1 www
	other-https HTTPS 1 . alpn=h2
	other-long CNAME other-cname
ZONE
{
	# shellcheck disable=SC2016 # of a zone
	printf '%s\n' '$TTL 60' '@ SOA ns hostmaster 1 3600 600 86400 60' '@ NS ns' 'ns A 192.0.2.53'
	for i in {1..3000}; do
		echo "host$i A 198.51.100.10"
	done
} >"$work/named/large.example"
cp "$work/named/large.example" "$work/named/dyn.example"
cp "$work/named/example.net" "$work/named/banned.example"
cat >"$work/named/conf" <<-CONF
	options {
		directory "$work/named"; pid-file none; session-keyfile none;
		listen-on { 192.0.2.53; }; listen-on-v6 { none; };
		recursion no; allow-transfer { any; }; minimal-responses yes; dnssec-validation no;
	};
	controls { };
	zone "example.net" { type primary; file "example.net"; };
	zone "large.example" { type primary; file "large.example"; };
	zone "dyn.example" { type primary; file "dyn.example"; allow-update { any; }; };
	zone "banned.example" { type primary; file "banned.example"; allow-update { any; }; };
CONF
(echo 0 >"$home/cgroup.procs" && exec named -f -u root -n 1 -c "$work/named/conf") >"$work/named/log" 2>&1 &
at_exit "kill $!"
tries=0
until dig +short +tries=1 +time=1 @192.0.2.53 www.example.net | grep -q '^198' || [ $((++tries)) -gt 50 ]; do
	sleep 0.1
done

finds() { # DIG-WORD...: an answer with records
	dig +tries=1 +time=1 +noall +answer @192.0.2.53 "$@" | grep -q '^[^;]'
}

transfers() { # ZONE: how many addresses
	dig +tries=1 +time=5 @192.0.2.53 "$1" AXFR | grep -c '^host.*198.51.100.10'
}

updates() { # NAME
	printf '%s\n' 'server 192.0.2.53' "zone ${1#*.}" "update add $1. 60 A 198.51.100.77" send | nsupdate -t 3
}

rows=('cname A' 'x.dname A' 'svcb TYPE64' 'https TYPE65' 'long A')
leads() { # yes|no WHEN
	local row how
	for row in "${rows[@]}"; do
		for how in +notcp +tcp; do
			# shellcheck disable=SC2086 # words
			try finds $how ${row/ /.example.net }
			if [ "$1" = yes ]; then
				is $status 0 "an answer with ${row% *} $how: $2"
			else
				is $((status != 0)) 1 "an answer with ${row% *} $how leads to a banned name: $2"
			fi
		done
	done
}

# Connections from before: a download that goes on, to a server that stays; one to a banned address.
slow() { # ADDRESS: a line every tenth of a second
	(echo 0 >"$home/cgroup.procs" && exec socat "TCP-LISTEN:2222,bind=$1,fork,reuseaddr" \
		SYSTEM:'while echo line; do sleep 0.1; done') >/dev/null 2>&1 &
	at_exit "kill $!"
}

doomed=
leads yes before
runs "an update before" updates a1.dyn.example
if command -v socat >/dev/null; then
	slow 198.51.100.10
	slow 203.0.113.7
	sleep 0.5
	for address in 198.51.100.10 203.0.113.7; do
		socat -u "TCP:$address:2222" "OPEN:$work/got.$address,creat" 2>"$work/err.$address" &
		[ $address = 198.51.100.10 ] || doomed=$!
		at_exit "kill $!"
	done
fi
ssh_alive=
if command -v dropbear >/dev/null && command -v ssh >/dev/null; then
	ssh-keygen -q -t ed25519 -N '' -f "$work/id" </dev/null
	dropbearkey=$(type -P dropbearkey)
	"$dropbearkey" -t ed25519 -f "$work/hostkey" >/dev/null 2>&1
	mkdir -p "$work/root/.ssh"
	cp "$work/id.pub" "$work/root/.ssh/authorized_keys"
	chmod 700 "$work/root" "$work/root/.ssh"
	mount --bind "$work/root" /root 2>/dev/null
	(echo 0 >"$home/cgroup.procs" && exec dropbear -F -E -r "$work/hostkey" -p 198.51.100.10:2022 -P "$work/pid") \
		>"$work/dropbear" 2>&1 &
	at_exit "kill $!"
	sleep 0.5
	mkfifo "$work/typed"
	ssh -F none -i "$work/id" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -p 2022 \
		root@198.51.100.10 'while read -r line; do echo "heard $line"; done' <"$work/typed" >"$work/heard" 2>"$work/ssh" &
	at_exit "kill $!"
	exec 7>"$work/typed"
	echo before >&7
	ssh_alive=1
fi
cat >"$work/policy.yaml" <<-'POLICY'
	ban: test
	malformed: deny
	rules:
	  - domain: banned.example
	  - network: 203.0.113.7
POLICY
enforce "$work/policy.yaml"
leads no "refused while loaded"
for row in 'other-cname A' 'x.other-dname A' 'other-svcb TYPE64' 'other-https TYPE65' 'other-long A'; do
	# shellcheck disable=SC2086 # words
	runs "its neighbour ${row% *} works" finds ${row/ /.example.net }
done
told 'denied +dns +www.banned.example .*dig|denied +dns +www.banned.example .*isc-net' "an event names the alias's asker"
is "$(transfers large.example)" 3000 "a zone transfer goes on"
runs "an update goes on" updates a2.dyn.example
try updates a3.banned.example
is $((status != 0)) 1 "an update of a banned zone is refused"
try dig +tries=1 +time=2 @192.0.2.53 banned.example AXFR
unlike "$output" 'SOA' "the transfer of a banned zone is refused"

if [ -n "$doomed" ]; then
	before=$(wc -l <"$work/got.198.51.100.10")
	sleep 1
	is $(($(wc -l <"$work/got.198.51.100.10") > before)) 1 "a download from before goes on"
	tries=0
	while kill -0 "$doomed" 2>/dev/null && [ $((++tries)) -lt 50 ]; do sleep 0.1; done
	is $((tries < 50)) 1 "one from a banned address ends"
	told 'denied +connect +203.0.113.7' "and an event tells of it"
fi
if [ -n "$ssh_alive" ]; then
	echo while >&7
	tries=0
	until grep -q 'heard while' "$work/heard" || [ $((++tries)) -gt 30 ]; do sleep 0.1; done
	like "$(cat "$work/heard" "$work/ssh")" 'heard while' "an ssh session from before goes on"
fi
stop
lift
leads yes after
done_testing
