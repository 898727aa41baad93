#!/bin/bash
# SPDX-License-Identifier: MIT
# E4: mapped to be read, made executable later; on tmpfs, ext4 and overlay.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/../kernel/lib.sh"

act=$(realpath build/tests/kernel/act)
make_pair
for kind in tmpfs ext4 overlay; do
	scratch $kind
	cp "$work"/{banned,neighbour} "$scratch/"
	ways[$kind, private]="$act mprotect $scratch/banned"
	ways[$kind, private and written]="$act mprotect-write $scratch/banned"
	ways[$kind, shared]="$act mmap $scratch/banned || $act mprotect-shared $scratch/banned"
	ways[$kind, READ_IMPLIES_EXEC]="$act personality $scratch/banned"
done
prove "$(ban "$work/banned")"
load "$(ban "$work/banned")"
cp "$work/banned" "$work/unseen"
is_denied "shared, never seen as code: refused" "$act" mprotect-shared "$work/unseen"
done_testing
