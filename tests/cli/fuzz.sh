#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Every fuzzer, a few thousand runs from its corpus: `make fuzz` goes on from here for as long as it
# is told.
# timeout: 600
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

for source in tests/fuzz/*_fuzz.c; do
	name=$(basename "$source" _fuzz.c)
	corpus=tests/fuzz/corpus/$name
	[ -n "$(ls -A "$corpus")" ]
	passed $? "$name: it has a corpus"
	mkdir "$work/$name" "$work/$name.found"
	runs "$name: nothing is found in 3,000 runs" nice "build/tests/fuzz/${name}_fuzz" -seed=1 -runs=3000 \
		-max_total_time=20 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="$work/$name/" "$work/$name.found" "$corpus"
	count=$(sed -n 's/^stat::number_of_executed_units: *//p' <<<"$errors")
	is "$((${count:-0} > 100))" 1 "$name: it ran ${count:-0} times"
done
done_testing
