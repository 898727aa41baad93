#!/bin/bash
# SPDX-License-Identifier: MIT
# E23: a flood of distinct contents evicts no ban: neither one by digest, nor, with many more contents
# than the table's 65,536, one by a key that was found and forgotten. DEBAR_LONG=1: a million of both.
# timeout: 2000
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/../kernel/lib.sh"

many=3000 known=200000
[ -z "${DEBAR_LONG-}" ] || many=1000000 known=1000000
make_pair
load "$(ban "$work/banned")"
is_denied "refused before" "$work/banned"
runs "$many distinct contents are mapped" build/tests/kernel/act flood "$work/flood" $many
is "$("$DEBAR" status --json | jq ".counters.hash >= $many")" true "and hashed"
is_denied "refused after" "$work/banned"
cp "$work/banned" "$work/copy"
is_denied "so is a copy that was never seen" "$work/copy"
unload

build/tests/kernel/race make "$work/program" banned note
printf 'ban: test\nrules:\n  - buildid: %s00\n' "$(printf 'dd%.0s' {1..19})" >"$work/policy.yaml"
controller -p "$work/policy.yaml"
is_denied "by build-id: refused before" "$work/program"
runs "$known contents are made known" build/tests/kernel/state flood $known
is_denied "by build-id: refused after" "$work/program"
cp "$work/program" "$work/program-copy"
is_denied "by build-id: so is a copy" "$work/program-copy"
runs "the neighbour runs" "$work/neighbour"
stop_controller
unload
done_testing
