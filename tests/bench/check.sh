# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# By the clock, and alone: debar check beside openssl on one large file, the better of many times each; and
# what the controller does while a program is held.
#
# subject: what it takes to look at a file, which is in memory
# limit: digest-of-1GB debar-check +10%
# limit: classify-elf 0-signers 50 microseconds
# timeout: 300
set -eu
file=build/bench/1GB
trap 'rm -f $file' EXIT
printf 'ban: bench\nrules:\n  - sha256: %064d\n' 1 >build/bench/none.yaml
{ openssl enc -aes-128-ctr -nosalt -K 00 -iv 00 </dev/zero 2>/dev/null || :; } | head -c 1G >$file
cat $file >/dev/null

# lap VARIANT COMMAND...: a line of its name, seconds that went by, and of the processors'.
lap() {
	local variant=$1
	shift
	TIMEFORMAT="$variant %R %U %S"
	{ time "$@" >/dev/null; } 2>&1
}
for _ in {1..9}; do
	lap openssl-dgst openssl dgst -sha256 $file
	lap debar-check build/debar check -p build/bench/none.yaml $file
done | awk '
	function less(a, b) { return a == "" || b < a ? b : a }
	{ wall[$1] = less(wall[$1], $2); cpu[$1] = less(cpu[$1], $3 + $4) }
	function row(variant, unit, value) {
		printf "{\"name\": \"digest-of-1GB\", \"variant\": \"%s\", \"kernel\": \"\", \"unit\": \"%s\", \"value\": %s}\n",
			variant, unit, value
	}
	END {
		row("openssl-dgst", "seconds", wall["openssl-dgst"])
		row("debar-check", "seconds", wall["debar-check"])
		row("openssl-dgst", "cpu seconds", cpu["openssl-dgst"])
		row("debar-check", "cpu seconds", cpu["debar-check"])
	}'
build/tests/bench/classify /bin/ls /bin/bash tests/data/identity/pe/p64.exe tests/data/identity/pe/p64.a.exe
