#!/bin/bash
# SPDX-License-Identifier: MIT
# E12: modules, from a file, compressed, and from memory.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/../kernel/lib.sh"

act=$(realpath build/tests/kernel/act)
module=$(modprobe --show-depends dummy | sed -n 's/^insmod //p' | tr -d ' ')
for name in banned neighbour; do
	module "$work/$name"
	head -c 16 /dev/zero | tr '\0' "${name:0:1}" >>"$work/$name"
done
ways=(
	[finit_module]="$act finit $work/banned && rmmod dummy"
	[insmod]="cp $work/banned $work/banned.ko; insmod $work/banned.ko && rmmod dummy"
)
policy=$(ban "$work/banned")
xz --check=crc32 -k "$work"/{banned,neighbour}
if $act finit "$work/neighbour.xz" 4 2>/dev/null && rmmod dummy; then
	ways[compressed]="$act finit $work/banned.xz 4 && rmmod dummy"
	policy=$(ban "$work"/banned{,.xz})
else
	skip "compressed" "this kernel takes none: kmod hands them over in memory"
fi
prove "$policy"
load "$policy"
limit "init_module, from memory, has no file; unclassified: deny refuses it" \
	bash -c "$act init $work/banned && rmmod dummy"
is "$("$DEBAR" status --json | jq '.counters.buffer > 0')" true "and is counted"
is_denied "modprobe" bash -c "cp $work/banned $module.off; mount --bind $work/banned $module; modprobe dummy; r=\$?; umount $module; exit \$r"
done_testing
