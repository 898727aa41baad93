#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 120
#
# What was remembered of one policy is not believed under the next: names just asked for, addresses just
# connected to, sockets of both. And DNS on ports of one's own.
# shellcheck source=tests/net/lib.sh
. "$(dirname "$0")/lib.sh"

serve 192.0.2.53 203.0.113.7 203.0.113.8
policy=$work/policy.yaml
put() { # RULE...
	printf '%s\n' 'ban: test' 'rules:' "${@/#/  - }" >"$policy.new"
	mv "$policy.new" "$policy"
}
reloads() { # RULE...
	put "$@"
	runs "reload: $*" "$DEBAR" reload --force
}

put 'domain: banned.example' 'network: 203.0.113.99'
enforce "$policy"
for _ in 1 2; do
	says answer "a name that no rule names" $peer dns 192.0.2.53 53 www.later.example
	says connected "an address that no rule names" $peer connect 203.0.113.7 443
	says answer "a datagram there" $peer send 203.0.113.7 7777 udp x
done
says EPERM "a name that begins like it" $peer dns 192.0.2.53 53 www.later.example.banned.example
# One socket of each kind that was there before.
exec 5>/dev/udp/203.0.113.7/7777 6<>/dev/tcp/203.0.113.7/7777
runs "a socket says something" bash -c 'echo x >&5'
reloads 'domain: later.example' 'network: 203.0.113.7'
says EPERM "the next policy names the name" $peer dns 192.0.2.53 53 www.later.example
says ECONNREFUSED "and the address" $peer connect 203.0.113.7 443
says ECONNREFUSED "and for datagrams" $peer send 203.0.113.7 7777 udp x
try bash -c 'echo x >&5'
like "$status $errors" '^1 .*not permitted' "a datagram's socket from before is refused"
bash -c 'echo x >&6' 2>/dev/null
told 'denied +connect +203.0.113.7' "and so is a connection"
says answer "a name that is not named any more" $peer dns 192.0.2.53 53 www.banned.example
says EPERM "a raw socket that is connected to a clean address" $peer odd send 203.0.113.7 203.0.113.8 hdrincl
says answer "and does what it says" $peer odd send 203.0.113.8 203.0.113.8 hdrincl
reloads 'domain: banned.example'
says connected "the address is free again" $peer connect 203.0.113.7 443
says answer "and the name" $peer dns 192.0.2.53 53 www.later.example
says EPERM "the first name is not" $peer dns 192.0.2.53 53 www.banned.example

# Networks alone, too: the one that was connected to last.
reloads 'network: 203.0.113.99'
says connected "no names: an address that no rule names" $peer connect 203.0.113.7 443
reloads 'network: 203.0.113.7'
says ECONNREFUSED "the next policy names it" $peer connect 203.0.113.7 443
reloads 'domain: banned.example'
stop
lift

# ---- ports -----------------------------------------------------------------------------------------

says answer "another port: works before" $peer dns 192.0.2.53 5300 www.banned.example
enforce "$policy" --dns-port 5300 --dns-port 5301
for way in udp tcp; do
	want=EPERM
	[ $way = udp ] || want=ECONNABORTED
	says $want "$way to a port of one's own" $peer dns 192.0.2.53 5300 www.banned.example $way
	says answer "its neighbour" $peer dns 192.0.2.53 5300 www.harmless.example $way
done
says answer "a port that is nobody's" $peer dns 192.0.2.53 7777 www.banned.example
says EPERM "port 53 all the same" $peer dns 192.0.2.53 53 www.banned.example
runs "a reload" "$DEBAR" reload
says EPERM "keeps the port" $peer dns 192.0.2.53 5300 www.banned.example
says ECONNABORTED "the controller ends a connection" $peer tls 192.0.2.53 443 www.banned.example tcp
says ECONNABORTED "and one that is bound to a device" $peer odd tls 192.0.2.53 443 www.banned.example bound
stop
runs "so does a reload without a controller" "$DEBAR" reload
says EPERM "which is refused on" $peer dns 192.0.2.53 5300 www.banned.example
lift
for wrong in 0 65536 x 53x ''; do
	exits 2 "no port: '$wrong'" "$DEBAR" load -p "$policy" --cgroup "$cgroup" --dns-port "$wrong"
done
like "$errors" '^debar: --dns-port is a number from 1 to 65535' "and it is said"
exits 2 "seven of them" "$DEBAR" load -p "$policy" --cgroup "$cgroup" --dns-port={1,2,3,4,5,6,7}
like "$errors" 'more than 6' "and it is said"
done_testing
