#!/bin/bash
# SPDX-License-Identifier: MIT
# append: ima_policy=tcb
# With an IMA policy the kernel may answer with the digest of content that has changed since.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

make_pair
policy=$(ban "$work/banned")
exits 2 "load is refused" "$DEBAR" load -p "$policy"
like "$errors" 'an IMA policy is loaded' "it says why"
like "$errors" '--force' "and how to take the risk"
load "$policy" --force
is_denied "with --force it enforces" "$work/banned"
runs "and the neighbour runs" "$work/neighbour"
unload
done_testing
