# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Memory of the kernel's tables and of the controller; the time a whole load takes in a guest, whose
# processor is an emulated one, some ten times slower than this machine's.
#
# guest: -m 3072 -t 600
set -eu
debar=/debar/build/debar

row() {
	printf '{"name": "%s", "variant": "%s", "kernel": "%s", "unit": "%s", "value": %s}\n' "$1" "$2" \
		"$KERNEL" "$3" "$4"
}

# Bytes in use but for files: debar keeps a copy of the policy in /run, which is in memory here.
used() {
	sync
	sleep 2
	echo 3 >/proc/sys/vm/drop_caches
	awk '$1 == "MemTotal:" { n += $2 } $1 ~ /^(MemFree|Cached|Buffers|SReclaimable):/ { n -= $2 }
		END { printf "%d\n", n * 1024 }' /proc/meminfo
}

nothing=$(used)
for count in 1 10000 1000000; do
	start=$(date +%s%N)
	$debar load -p /bench/$count.yaml >&2
	row load-in-guest "$count-rules" seconds "$(awk "BEGIN { print ($(date +%s%N) - $start) / 1e9 }")"
	now=$(used)
	[ $count != 1 ] || small=$now
	[ $count = 1 ] || row memory-per-rule "$count-rules" bytes "$(((now - small) / count))"
	$debar unload >&2
	sleep 2
done
row memory-of-programs 1-rule bytes "$((small - nothing))"

for count in 1 1000000; do
	$debar run -p /bench/$count.yaml >/dev/null 2>/tmp/messages &
	controller=$!
	until $debar status >/dev/null 2>&1; do
		kill -0 $controller || { cat /tmp/messages >&2; exit 1; }
		sleep 1
	done
	sleep 3
	row controller-resident "$count-rules" bytes \
		"$(awk '/^VmRSS/ { print $2 * 1024 }' /proc/$controller/status)"
	row controller-peak "$count-rules" bytes \
		"$(awk '/^VmHWM/ { print $2 * 1024 }' /proc/$controller/status)"
	kill $controller
	wait $controller || :
	$debar unload >&2 || :
done
