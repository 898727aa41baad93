#!/bin/bash
# SPDX-License-Identifier: MIT
# E9: a file above the size that is hashed in the kernel, where a hash cannot be killed.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/../kernel/lib.sh"

make_pair
cp "$work/banned" "$work/huge"
truncate -s 600M "$work/huge"
sed '1a oversize: deny' "$(ban "$work/banned")" >"$work/deny.yaml"
sed '1a oversize: allow' "$(ban "$work/banned")" >"$work/allow.yaml"
runs "works before" "$work/huge"
load "$work/deny.yaml"
before=$SECONDS
is_denied "oversize: deny refuses it" "$work/huge"
is $((SECONDS - before < 4)) 1 "at once: it is not hashed"
runs "its small neighbour runs" "$work/neighbour"
like "$("$DEBAR" events --json | jq -r .file.path)" huge "it is told"
load "$work/allow.yaml"
limit "oversize: allow lets it run, counted" "$work/huge"
is "$("$DEBAR" status --json | jq '.counters.oversize > 0')" true "counted"
unload
runs "works after" "$work/huge"
done_testing
