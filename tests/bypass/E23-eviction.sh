#!/bin/bash
# SPDX-License-Identifier: MIT
# E23: a flood of distinct contents evicts no ban. DEBAR_LONG=1 floods a million.
# timeout: 2000
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/../kernel/lib.sh"

many=3000
[ -z "${DEBAR_LONG-}" ] || many=1000000
make_pair
load "$(ban "$work/banned")"
is_denied "refused before" "$work/banned"
runs "$many distinct contents are mapped" build/tests/kernel/act flood "$work/flood" $many
is "$("$DEBAR" status --json | jq ".counters.hash >= $many")" true "and hashed"
is_denied "refused after" "$work/banned"
cp "$work/banned" "$work/copy"
is_denied "so is a copy that was never seen" "$work/copy"
unload
done_testing
