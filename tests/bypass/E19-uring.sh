#!/bin/bash
# SPDX-License-Identifier: MIT
# E19: io_uring opens and writes where no system call does.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/../kernel/lib.sh"

uring=$(realpath build/tests/bypass/uring)
make_pair
if ! "$uring" map "$work/banned"; then
	skip_all "this kernel has no io_uring"
fi
ways=(
	[opened by io_uring, executed]="$uring exec $work/banned"
	[opened by io_uring, mapped]="$uring map $work/banned"
	[written by io_uring after it was seen]="cp $work/neighbour $work/x; $work/x && $uring write $work/x $work/banned && $work/x"
)
prove "$(ban "$work/banned")"
done_testing
