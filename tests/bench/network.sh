# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What names and addresses cost: each row of traffic in two cgroups by turns, of which one is enforced
# upon, both ends in it and all on one processor; medians of pairs, by the clock and by the processor's
# time, which others at work on the machine do not change as much. The same with programs that do nothing
# on the same hooks, which is the least that any program there costs. And one packet's way through the
# program, by the kernel's own test run.
#
# subject: names and addresses: traffic on loopback, and a packet's way through the program
# timeout: 900
# limit: connect-close *slower*processor* 3 percent
# limit: bulk debar*processor* 2 percent
# limit: https debar*processor* 2 percent
# limit: udp-dns debar*processor* 3 percent
# limit: packet dns,?22?bytes,?1?name 1000 ns
# limit: packet dns,?22?bytes,?read?anew* 1000 ns
# limit: packet dns,?22?bytes,?1000000?names +10% over dns,?22?bytes,?1?name
# limit: packet dns,?longest* 12000 ns
# limit: packet tcp* 60 ns
# limit: bytes-a-name debar 120
set -eu
if [ -z "${NETWORK_INSIDE-}" ]; then
	[ "$(id -u)" = 0 ] || { echo "no rows of the network: only root may load programs" >&2; exit 0; }
	NETWORK_INSIDE=1 exec unshare -n -m --propagation private bash "$0"
fi
PATH=$PATH:/usr/sbin:/sbin:$PWD/build/debs/usr/sbin:$PWD/build/debs/usr/bin
mount -t bpf bpf /sys/fs/bpf
mount -t tmpfs tmpfs /run
ip link set lo up
work=$(mktemp -d)
inputs=$PWD/build/bench
cgroups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
home=$cgroups$(sed -n 's/^0:://p' /proc/self/cgroup)
off=$cgroups/debar-bench-off-$$ on=$cgroups/debar-bench-on-$$
mkdir "$off" "$on"
finish() {
	echo 1 >"$off/cgroup.kill"
	echo 1 >"$on/cgroup.kill"
	echo $$ >"$home/cgroup.procs"
	build/debar unload >/dev/null 2>&1 || :
	sleep 0.3
	rmdir "$off" "$on" || :
	rm -rf "$work"
}
trap finish EXIT

row() { # NAME VARIANT UNIT VALUE
	printf '{"name": "%s", "variant": "%s", "kernel": "%s", "unit": "%s", "value": %s}\n' "$1" "$2" \
		"$(uname -r)" "$3" "$4"
}

missing() { # PROGRAM...
	local program
	for program; do
		command -v "$program" >/dev/null && continue
		echo "no rows of $program: it is not here" >&2
		return 0
	done
	return 1
}

cpu=$(($(nproc) - 1))
in_cgroup() { # CGROUP COMMAND...
	(echo 0 >"$1/cgroup.procs" && exec taskset -c $cpu "${@:2}")
}

start() { # CGROUP COMMAND...
	(echo 0 >"$1/cgroup.procs" && exec taskset -c $cpu "${@:2}") >"$work/server" 2>&1 &
	server=$!
}

load() { # POLICY
	build/debar load -p "$1" --cgroup "$on" >/dev/null
}

used() { # CGROUP: processor time of all in it, microseconds
	awk '$1 == "usage_usec" { print $2 }' "$1/cpu.stat"
}

# arm FUNCTION CGROUP PORT: what was done, and the processor's microseconds for each of it.
arm() {
	local before amount
	before=$(used "$2")
	amount=$("$@")
	awk "BEGIN { print $amount, ($(used "$2") - $before) / $amount }"
}

# compare NAME VARIANT UNIT PAIRS FUNCTION: given a cgroup and an address, it works for a second and
# prints how much it did.
compare() {
	local i
	: >"$work/pairs"
	for ((i = 0; i < $4; i++)); do
		if ((i & 1)); then
			arm "$5" "$on" 2 >"$work/on" && arm "$5" "$off" 1 >"$work/off"
		else
			arm "$5" "$off" 1 >"$work/off" && arm "$5" "$on" 2 >"$work/on"
		fi
		paste -d ' ' "$work/off" "$work/on" >>"$work/pairs"
	done
	row "$1" "nothing, beside $2" "$3" "$(awk '{ print $1 }' "$work/pairs" | median)"
	row "$1" "$2" "$3" "$(awk '{ print $3 }' "$work/pairs" | median)"
	row "$1" "$2: slower, by the clock" percent "$(awk '{ print ($1 / $3 - 1) * 100 }' "$work/pairs" | median)"
	row "$1" "$2: slower, in processor time" percent "$(awk '{ print ($4 / $2 - 1) * 100 }' "$work/pairs" | median)"
}

median() {
	sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

printf 'ban: bench\nrules:\n  - domain: banned.example\n  - network: 203.0.113.7\n' >"$work/policy.yaml"
row machine "load average at the start" processes "$(cut -d ' ' -f 1 /proc/loadavg)"

does_bulk='' does_https='' does_dns=''

# ---- traffic -----------------------------------------------------------------------------------

# shellcheck disable=SC2046 # numbers
connections() { # NAME VARIANT PAIRS
	set -- "$@" $(build/tests/bench/connections "$3" 100 "$off" "$on")
	row "$1" "nothing, beside $2" ns "$4"
	row "$1" "$2" ns "$5"
	row "$1" "$2: slower, by the clock" percent "$(awk "BEGIN { print ($6 - 1) * 100 }")"
	row "$1" "$2: slower, in processor time" percent "$(awk "BEGIN { print ($9 - 1) * 100 }")"
}

bulk() {
	in_cgroup "$1" iperf3 -c "127.0.0.$2" -p 5201 -t 1 -J 2>/dev/null | jq '.end.sum_received.bits_per_second / 1e9'
}
if ! missing iperf3 jq; then
	start "$off" iperf3 -s -B 127.0.0.1
	start "$on" iperf3 -s -B 127.0.0.2
	sleep 0.5
	does_bulk=1
fi

https() {
	in_cgroup "$1" wrk -t 1 -c 8 -d 1s "https://127.0.0.$2/" 2>/dev/null | awk '/^Requests\/sec/ { print $2 }'
}
if ! missing wrk nginx openssl; then
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/key" -out "$work/cert" \
		-subj /CN=bench -days 2 2>/dev/null
	for at in 1 2; do
		mkdir "$work/nginx$at"
		cat >"$work/nginx$at/conf" <<-NGINX
			daemon off; master_process off; pid $work/nginx$at/pid; error_log $work/nginx$at/errors;
			events { }
			http {
				access_log off; keepalive_requests 20;
				client_body_temp_path $work/nginx$at/a; proxy_temp_path $work/nginx$at/b;
				fastcgi_temp_path $work/nginx$at/c; uwsgi_temp_path $work/nginx$at/d;
				scgi_temp_path $work/nginx$at/e;
				server {
					listen 127.0.0.$at:443 ssl; ssl_certificate $work/cert; ssl_certificate_key $work/key;
					location / { return 200 "hello\n"; }
				}
			}
		NGINX
	done
	start "$off" nginx -c "$work/nginx1/conf"
	start "$on" nginx -c "$work/nginx2/conf"
	sleep 0.5
	does_https=1
fi

resolver() { # CGROUP ADDRESS [CONF-FILE]
	cat >"$work/unbound$2" <<-CONF
		server:
		 chroot: ""
		 username: ""
		 directory: "$work"
		 pidfile: ""
		 use-syslog: no
		 verbosity: 1
		 interface: 127.0.0.$2
		 do-daemonize: no
		 module-config: "iterator"
		 local-zone: "example.org." redirect
		 local-data: "example.org. 60 A 192.0.2.1"
		 ${3:+include: "$3"}
		remote-control:
		 control-enable: no
	CONF
	start "$1" unbound -d -c "$work/unbound$2"
	until grep -q 'start of service' "$work/server"; do
		kill -0 $server || { cat "$work/server" >&2; return 1; }
		sleep 0.02
	done
}

udp_dns() {
	in_cgroup "$1" dnsperf -s "127.0.0.$2" -d "$work/queries" -l 1 -q 20 2>/dev/null | awk '/Queries per second/ { print $4 }'
}
if ! missing dnsperf unbound; then
	printf 'www%d.abc.example.org A\n' {1..99} >"$work/queries"
	resolver "$off" 1
	resolver "$on" 2
	does_dns=1
fi

# With whatever is on the one cgroup and not on the other.
traffic() { # VARIANT
	connections connect-close "$1" 300
	[ -z "$does_bulk" ] || compare bulk "$1" "Gbit/s" 11 bulk
	[ -z "$does_https" ] || compare https "$1" requests/s 11 https
	[ -z "$does_dns" ] || compare udp-dns "$1" queries/s 11 udp_dns
}

# Programs that do nothing, until empty_stop; $empty is the one at egress.
empty_start() {
	coproc build/tests/bench/empty "$on"
	read -r empty <&"${COPROC[0]}"
}

empty_stop() {
	local fd=${COPROC[1]} pid=$COPROC_PID
	exec {fd}>&-
	wait "$pid"
	sleep 0.3
}

load "$work/policy.yaml"
traffic debar
build/debar unload >/dev/null
sleep 0.3
empty_start
traffic "empty programs"
empty_stop

# ---- one packet --------------------------------------------------------------------------------

# packet KIND NAME: an Ethernet frame, to standard output.
frame() {
	perl -e '
		my ($kind, $name) = @ARGV;
		my $body = $kind eq "dns"
			? pack("n6", 0x1234, 0x100, 1, 0, 0, 0) . join("", map { chr(length) . $_ } split /\./, $name) . pack("Cnn", 0, 1, 1)
			: "\x17\x03\x03\x05\x00" . "x" x 1280;
		my $head = $kind eq "dns" ? pack("n4", 4444, 53, 8 + length $body, 0)
			: pack("nnNNnnnn", 4444, 443, 1, 1, 0x5018, 1000, 0, 0);
		my $ip = pack("CCnnnCCnNN", 0x45, 0, 20 + length($head . $body), 1, 0, 64, $kind eq "dns" ? 17 : 6, 0,
			0x7f000001, 0xc0000235);
		print "\0" x 12, "\x08\0", $ip, $head, $body;' "$@"
}

# Best of five, because nothing but other work makes it longer.
packet() { # VARIANT KIND NAME [PROGRAM-ID]
	local id=${4-} best='' now
	[ -n "$id" ] || id=$(bpftool -j link show pinned /sys/fs/bpf/debar/debar_egress | jq .prog_id)
	frame "$2" "$3" >"$work/frame"
	for _ in 1 2 3 4 5; do
		now=$(bpftool prog run id "$id" data_in "$work/frame" repeat 200000 | sed -n 's/.*duration (average): \([0-9]*\)ns.*/\1/p')
		if [ -z "$best" ] || [ "$now" -lt "$best" ]; then best=$now; fi
	done
	row packet "$1" ns "$best"
}

if ! missing bpftool perl jq; then
	long=$(printf '%.0sa.' {1..126})a
	names() {
		packet "dns, 22 bytes, $1" dns www.abcdefg.example.org
		packet "dns, longest, 127 labels, $1" dns "$long"
		packet "dns, longest, 4 labels, $1" dns "$(printf '%063d.%063d.%063d.%061d' 1 2 3 4)"
	}
	empty_start
	packet "an empty program" tcp '' "$empty"
	empty_stop
	load "$work/policy.yaml"
	names "1 name"
	packet "tcp, under way" tcp ''
	build/debar unload >/dev/null
	# Where addresses are learnt no question is remembered.
	sed '1a learn: true' "$work/policy.yaml" >"$work/learn.yaml"
	load "$work/learn.yaml"
	packet "dns, 22 bytes, read anew, 1 name" dns www.abcdefg.example.org
	[ -e "$inputs/million.txt" ] || perl -e 'printf "n%07d.abcde.example\n", $_ for 1 .. 1000000' >"$inputs/million.txt"
	printf 'ban: bench\nrules:\n  - list: million.txt\n    kind: domain\n  - network: 203.0.113.7\n' >"$inputs/million.yaml"
	build/debar unload >/dev/null
	begun=$(date +%s%N)
	load "$inputs/million.yaml"
	row load-million-names debar seconds "$(awk "BEGIN { print ($(date +%s%N) - $begun) / 1e9 }")"
	names "1000000 names"
	row memory-million-names debar MB "$(bpftool -j map show | jq '[.[] | select(.name | startswith("debar_"))
		| .bytes_memlock] | add / 1048576')"
	# Of the tables of names alone: what is in a generation's slots.
	row bytes-a-name debar bytes "$(bpftool -j map show | jq '[.[] | select((.name | IN("debar_buckets", "debar_pool",
		"debar_netrules")) and .type == "array" and .bytes_memlock > 1000000)
		| .bytes_memlock] | unique | add / 1000000')"
	if ! missing dnsperf unbound; then
		compare udp-dns-million debar queries/s 5 udp_dns
		sed 's/.*/local-zone: "&." always_refuse/' "$inputs/million.txt" >"$work/million"
		begun=$(date +%s%N)
		resolver "$off" 3 "$work/million"
		row load-million-names unbound seconds "$(awk "BEGIN { print ($(date +%s%N) - $begun) / 1e9 }")"
		row memory-million-names unbound MB "$(awk '/^VmRSS/ { print $2 / 1024 }' /proc/$server/status)"
		for _ in 1 2 3 4 5; do udp_dns "$off" 3; done >"$work/a"
		row udp-dns-million unbound queries/s "$(median <"$work/a")"
		kill $server
		if ! missing dnsmasq; then
			sed 's|.*|address=/&/|' "$inputs/million.txt" >"$work/dnsmasq"
			begun=$(date +%s%N)
			start "$off" dnsmasq -k --no-hosts --no-resolv --conf-file="$work/dnsmasq" --bind-interfaces \
				--listen-address=127.0.0.4 --address=/example.org/192.0.2.1 --pid-file= -u root
			until [ "$(in_cgroup "$off" dig +short +tries=1 +time=1 @127.0.0.4 www.example.org)" = 192.0.2.1 ]; do
				sleep 0.1
			done
			row load-million-names dnsmasq seconds "$(awk "BEGIN { print ($(date +%s%N) - $begun) / 1e9 }")"
			row memory-million-names dnsmasq MB "$(awk '/^VmRSS/ { print $2 / 1024 }' /proc/$server/status)"
			for _ in 1 2 3 4 5; do udp_dns "$off" 4; done >"$work/a"
			row udp-dns-million dnsmasq queries/s "$(median <"$work/a")"
		fi
	fi
fi

# Kilobytes of the kernel's own; what else goes on is in it, too.
kernel_memory() {
	awk '/^(Slab|VmallocUsed|Percpu):/ { sum += $2 } END { print sum }' /proc/meminfo
}

# ---- addresses, beside nftables ----------------------------------------------------------------

if ! missing nft perl; then
	[ -e "$inputs/addresses.txt" ] || perl -e '
		for (1 .. 100000) {
			my $v = $_ * 2654435761 % 4294967296;
			printf "%d.%d.%d.%d\n", 1 + ($v >> 24) % 126, $v >> 16 & 255, $v >> 8 & 255, $v & 255;
		}' | grep -v '^127' | sort -u >"$inputs/addresses.txt"
	build/debar unload >/dev/null
	printf 'ban: bench\nrules:\n  - list: addresses.txt\n    kind: network\n' >"$inputs/addresses.yaml"
	load "$inputs/addresses.yaml"
	connections connect-100000-addresses debar 200
	row memory-100000-addresses debar MB "$(bpftool -j map show | jq '[.[] | select(.name | startswith("debar_"))
		| .bytes_memlock] | add / 1048576')"
	# The chain is left for the one cgroup and not the other, so that these are pairs, too.
	{
		echo 'table ip t { set s { type ipv4_addr; elements = {'
		paste -s -d , "$inputs/addresses.txt"
		printf '} }\nchain o {\ntype filter hook output priority 0;\nsocket cgroupv2 level 1 "%s" return\n' "${off##*/}"
		printf 'ip daddr @s reject\n}\n}\n'
	} >"$work/nft"
	build/debar unload >/dev/null
	sleep 0.5
	before=$(kernel_memory)
	# It looks for cgroups nowhere else.
	# shellcheck disable=SC2016
	if unshare -m sh -c 'mount --bind "$1" /sys/fs/cgroup && exec nft -f "$2"' - "$cgroups" "$work/nft" \
		2>"$work/nft.said"; then
		row memory-100000-addresses nftables MB $((($(kernel_memory) - before) / 1024))
		connections connect-100000-addresses nftables 200
	else
		echo "no rows of nftables: $(head -n 1 "$work/nft.said")" >&2
	fi
fi

# ---- OpenSnitch, which asks a process of its own about each new connection ----------------------------

# Of all in this namespace, so not in pairs: one after the other.
opensnitch() {
	local root=$work/opensnitch before
	mkdir "$root" "$work/upper" "$work/etc"
	tar -C "$root" -xf "$inputs/opensnitch.tar"
	mount -t overlay -o "lowerdir=/etc,upperdir=$work/upper,workdir=$work/etc" overlay /etc || return 0
	mkdir -p /etc/opensnitchd/rules
	sed 's/"ebpf"/"proc"/' "$root/etc/opensnitchd/default-config.json" >/etc/opensnitchd/default-config.json
	cp "$root/etc/opensnitchd/system-fw.json" /etc/opensnitchd/
	ln -s xtables-legacy-multi "$root/usr/sbin/iptables"
	ln -s xtables-legacy-multi "$root/usr/sbin/ip6tables"
	before=$(build/tests/bench/connections 20 100 "$off" "$on" | awk 'NR == 1 { print $1 }')
	LD_LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu XTABLES_LIBDIR=$root/usr/lib/x86_64-linux-gnu/xtables \
		PATH=$root/usr/bin:$root/usr/sbin:$PATH opensnitchd -rules-path /etc/opensnitchd/rules >"$work/snitch" 2>&1 &
	server=$!
	for _ in {1..50}; do
		! "$root/usr/sbin/iptables" -t mangle -S 2>/dev/null | grep -q NFQUEUE || break
		sleep 0.2
	done
	if ! "$root/usr/sbin/iptables" -t mangle -S | grep -q NFQUEUE; then
		echo "no rows of OpenSnitch: it does not start: $(tail -n 1 "$work/snitch")" >&2
		return 0
	fi
	row connect-close "nothing, beside opensnitch" ns "$before"
	row connect-close opensnitch ns "$(build/tests/bench/connections 5 100 "$off" "$on" | awk 'NR == 1 { print $1 }')"
	row memory-empty opensnitch MB "$(awk '/^VmRSS/ { print $2 / 1024 }' /proc/$server/status)"
	kill -9 $server
}
if [ -e "$inputs/opensnitch.tar" ]; then
	opensnitch
else
	echo "no rows of OpenSnitch: it could not be fetched (build/bench.log)" >&2
fi
row machine "load average at the end" processes "$(cut -d ' ' -f 1 /proc/loadavg)"
