# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Memory of the kernel's tables and of the controller; the time a whole load takes in a guest, whose
# processor is an emulated one, some ten times slower than this machine's, beside the time until
# Debian's fapolicyd listens with the same hashes in its trust list.
#
# subject: memory, and loading in a guest
# limit: memory-per-rule * 130 bytes
# limit: controller-resident debar,?1?rules 15 MB
# guest: -m 4096 -t 900
set -eu
debar=/debar/build/debar

row() {
	printf '{"name": "%s", "variant": "%s", "kernel": "%s", "unit": "%s", "value": %s}\n' "$1" "$2" \
		"$KERNEL" "$3" "$4"
}

# Bytes in use but for files: debar keeps a copy of the policy in /run, which is in memory here. What
# was let go is freed some time after.
used() {
	local before=0 now=1 tries=0
	sync
	while [ "$before" != "$now" ] && [ $((++tries)) -lt 30 ]; do
		before=$now
		sleep 1
		echo 3 >/proc/sys/vm/drop_caches
		# in steps of 256 kB: something is always at work
		now=$(awk '$1 == "MemTotal:" { n += $2 } $1 ~ /^(MemFree|Cached|Buffers|SReclaimable):/ { n -= $2 }
			END { printf "%d\n", n / 256 }' /proc/meminfo)
	done
	echo $((now * 256 * 1024))
}

vmalloc() {
	awk '$1 == "VmallocUsed:" { print $2 * 1024 }' /proc/meminfo
}

# Each takes the place of the one before: the programs and one generation are in use. What a rule
# takes is what comes back when one takes the place of a million.
nothing=$(used)
for count in 1 10000 1000000; do
	start=$(date +%s%N)
	$debar load -p /bench/$count.yaml >&2
	row load-in-guest "debar, $count rules" seconds "$(awk "BEGIN { print ($(date +%s%N) - $start) / 1e9 }")"
	[ $count != 1 ] || small=$(used)
done
full=$(used) tables=$(vmalloc)
$debar load --force -p /bench/1.yaml >&2
row memory-per-rule "what comes back" bytes "$(((full - $(used)) / 1000000))"
row memory-per-rule "as the kernel counts its tables" bytes "$(((tables - $(vmalloc)) / 1000000))"
row memory-of-programs 1-rule MB "$(((small - nothing) >> 20))"
$debar unload >&2

for count in 1 1000000; do
	$debar run -p /bench/$count.yaml >/dev/null 2>/tmp/messages &
	controller=$!
	until $debar status >/dev/null 2>&1; do
		kill -0 $controller || { cat /tmp/messages >&2; exit 1; }
		sleep 1
	done
	sleep 3
	row controller-resident "debar, $count rules" MB \
		"$(awk '/^VmRSS/ { print $2 / 1024 }' /proc/$controller/status)"
	row controller-peak "debar, $count rules" MB \
		"$(awk '/^VmHWM/ { print $2 / 1024 }' /proc/$controller/status)"
	kill $controller
	wait $controller || :
	$debar unload >&2 || :
done

# shellcheck source=tests/bench/lib.sh
. tests/bench/lib.sh
fapolicyd_unpack || exit 0
for count in 1 1000000; do
	fapolicyd_trust $debar
	awk '{ printf "/opt/banned/%d 1 %s\n", NR, $1 }' /bench/$count.txt >>/etc/fapolicyd/fapolicyd.trust
	fapolicyd_settings sha256
	start=$(date +%s%N)
	fapolicyd_start sha256
	row load-in-guest "fapolicyd, $count hashes" seconds \
		"$(awk "BEGIN { print ($(date +%s%N) - $start) / 1e9 }")"
	row controller-resident "fapolicyd, $count hashes" MB \
		"$(awk '/^VmRSS/ { print $2 / 1024 }' "/proc/$(cat /tmp/fapolicyd.pid)/status")"
	fapolicyd_stop
done
