#!/bin/bash
# SPDX-License-Identifier: MIT
# E5: files without a name: memfd, O_TMPFILE, deleted, /dev/shm, by descriptor.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/../kernel/lib.sh"

act=$(realpath build/tests/kernel/act)
make_pair
ways=(
	[memfd]="$act memfd $work/banned"
	[sealed memfd]="$act sealed $work/banned"
	[memfd that ran as another]="cp $work/neighbour $work/other; printf o >>$work/other; $act swapped $work/banned $work/other"
	[O_TMPFILE on tmpfs]="$act tmpfile $work/banned $work"
	[O_TMPFILE on ext4]="$act tmpfile $work/banned /mnt/ext4"
	[deleted]="$act deleted $work/banned $work/gone"
	[/dev/shm]="cp $work/banned /dev/shm/x; /dev/shm/x"
	[/proc/self/fd]="$act procfd $work/banned"
	[fexecve of an O_PATH descriptor]="$act exec $work/banned"
)
prove "$(ban "$work/banned")"
done_testing
