#!/bin/bash
# SPDX-License-Identifier: MIT
# E15: the ring of events is filled first: verdicts stay, what was lost is counted.
# timeout: 200
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/../kernel/lib.sh"

act=build/tests/kernel/act
make_pair
load "$(ban "$work/banned")"
$act often "$work/banned" 20000 >"$work/refused"
is "$(cat "$work/refused")" 20000 "20,000 acts were refused while nobody read the ring"
lost=$("$DEBAR" status --json | jq .counters.lost)
is $((lost > 0)) 1 "the ring was full: $lost events were lost, and counted"
is_denied "with a full ring the verdict is the same" "$work/banned"
runs "and the neighbour runs" "$work/neighbour"
is "$("$DEBAR" status --json | jq .counters.deny)" 20001 "every refusal was counted"
"$DEBAR" events >/dev/null
is_denied "and after it was read" "$work/banned"
is "$("$DEBAR" events --json | tail -n 1 | jq .debar.lost)" "$((lost + 1))" "events say how many are missing"
unload
done_testing
