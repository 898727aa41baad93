#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 1500
# boot: own
# cpus: 2
# disk: ext4
# A writer changes a file between a banned and an allowed content, by write, by a shared mapping and by
# truncate, while it is run and mapped: the banned one never runs, and is never mapped once the writer
# is quiet. The same with invalidation switched off does let some through. DEBAR_LONG=1 goes on for
# more than 3,000 runs and 500 rounds.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

race=build/tests/kernel/race
state=build/tests/kernel/state
runs=30 rounds=8
[ -z "${DEBAR_LONG-}" ] || runs=340 rounds=60

"$race" make "$work/banned" banned
"$race" make "$work/allowed" allowed
exits 0 "the banned content runs before" "$work/banned"
exits 65 "so does the allowed one" "$work/allowed"
load "$(ban "$work/banned")"
is_denied "the banned content is refused" "$work/banned"

# field NAME: of what the last race said.
field() {
	grep -oE "\b$1=[0-9]+" <<<"$output" | cut -d= -f2
}

all_runs=0 all_rounds=0
# contest WHERE FILE [BENEATH]: all ways, both kinds.
contest() {
	local where=$1 file=$2 beneath=${3-$2} how
	for how in write mmap truncate; do
		"$race" make "$beneath" allowed
		try "$race" exec "$file" $how $runs "$beneath"
		if [ "$where" = beneath ]; then
			# A writer beneath after the decision is a stated limit: only what is quiet counts.
			is "$(field quiet)" 0 "beneath an overlay, $how, runs when the writer is quiet: $output"
		else
			is "$(field banned) $(field quiet)" '0 0' "$where, $how, runs: $output"
		fi
		try "$race" mmap "$file" $how $rounds "$beneath"
		is "$(field banned)" 0 "$where, $how, mappings: $output"
		all_runs=$((all_runs + runs)) all_rounds=$((all_rounds + rounds))
	done
}

scratch tmpfs
contest tmpfs "$scratch/file"
tmpfs=$scratch/file
scratch ext4
contest ext4 "$scratch/file"
ext4=$scratch/file
scratch overlay
"$race" make "$work/layers/upper/file" allowed
contest overlay "$scratch/file"
"$race" make "$work/layers/upper/below" allowed
contest beneath "$scratch/below" "$work/layers/upper/below"
overlay=$scratch/file

ok "$all_runs runs were decided and $all_rounds rounds made"

# The control arms. Without them a test that cannot fail would look the same.
runs "invalidation is switched off" "$state" stale 1
let_through=0
for file in "$tmpfs" "$ext4" "$overlay"; do
	for how in write mmap truncate; do
		"$race" make "$file" allowed
		try "$race" exec "$file" $how 30
		ran=$(($(field banned) + $(field quiet)))
		try "$race" mmap "$file" $how $rounds
		let_through=$((let_through + ran + $(field banned)))
		tap_note "control: ${file#"$work"/}, $how: $ran ran, $(field banned) mapped"
	done
done
is "$((let_through > 0))" 1 "without invalidation, $let_through banned runs and mappings went through"
"$state" stale 0
done_testing
