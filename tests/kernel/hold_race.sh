#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 900
# kernels: 6.1 7.3
# boot: own
# cpus: 2
# disk: ext4
# A writer changes a program while those who run it wait for the controller to read it: keys are never
# bound to other bytes, so what has the banned build-id never runs. DEBAR_LONG=1 goes on for longer.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

race=build/tests/kernel/race
state=build/tests/kernel/state
runs=30 rounds=6
[ -z "${DEBAR_LONG-}" ] || runs=400 rounds=60

field() {
	local rest=${output##*"$1="}
	echo "${rest%% *}"
}

# none_banned WHAT: what is banned did not run, but where nobody answered in time: that is counted, and a
# key bound to other bytes is not.
none_banned() {
	local before=$late ran
	late=$("$DEBAR" status --json | jq .counters.unclassified)
	ran=$(field banned)
	[[ $output != *quiet=* ]] || ran=$((ran + $(field quiet)))
	is "$((ran > late - before))" 0 "$1: $output, not answered in time: $((late - before))"
}

printf 'ban: test\nrules:\n  - buildid: %s00\n' "$(printf 'dd%.0s' {1..19})" >"$work/policy.yaml"
"$race" make "$work/banned" banned note
"$race" make "$work/allowed" allowed note
exits 0 "the banned build-id runs before" "$work/banned"
controller -p "$work/policy.yaml"
is_denied "it is refused" "$work/banned"
exits 65 "the other one runs" "$work/allowed"

late=$("$DEBAR" status --json | jq .counters.unclassified)
for where in tmpfs ext4 overlay; do
	scratch $where
	for how in write+ mmap+; do
		"$race" make "$scratch/file" allowed note
		try "$race" exec "$scratch/file" $how $runs
		none_banned "$where, $how, runs"
		try "$race" mmap "$scratch/file" $how $rounds
		none_banned "$where, $how, mappings"
	done
done

# The control arm: a test that cannot fail would look the same.
runs "invalidation is switched off" "$state" stale 1
let_through=0
for how in write+ mmap+ write+ mmap+ write+ mmap+; do
	[ $let_through = 0 ] || break
	"$race" make "$work/control" allowed note
	try "$race" exec "$work/control" $how $runs
	let_through=$((let_through + $(field banned) + $(field quiet)))
	tap_note "control: $how: $output"
done
is "$((let_through > 0))" 1 "without invalidation, $let_through banned runs went through"
"$state" stale 0
stop_controller
done_testing
