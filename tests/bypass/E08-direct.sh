#!/bin/bash
# SPDX-License-Identifier: MIT
# E8: mapped through an O_DIRECT descriptor, which the kernel cannot hash.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/../kernel/lib.sh"

act=build/tests/kernel/act
scratch ext4
make_pair
cp "$work"/{banned,neighbour} "$scratch/"
runs "works before" $act direct "$scratch/banned"
load "$(ban "$work/banned")"
is_denied "refused while loaded" $act direct "$scratch/banned"
is_denied "so is its neighbour: what cannot be hashed could be what is banned" $act direct "$scratch/neighbour"
is "$("$DEBAR" status --json | jq '.counters.nohash > 0')" true "and that is counted"
runs "once it was seen another way, the neighbour's goes through" \
	bash -c "$scratch/neighbour && $act direct $scratch/neighbour"
unload
runs "works after" $act direct "$scratch/banned"
done_testing
