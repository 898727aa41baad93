#!/bin/bash
# SPDX-License-Identifier: MIT
# E3: a banned library by dlopen, LD_PRELOAD, LD_AUDIT and LD_LIBRARY_PATH.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/../kernel/lib.sh"

act=build/tests/kernel/act
libc=$(ldd "$act" | awk '/libc.so/ { print $3 }')
library=$(ldd /usr/bin/ls | awk '/libselinux/ { print $3 }')
for name in banned neighbour; do
	mkdir "$work/$name"
	cp "$library" "$work/$name.so" && printf %s $name >>"$work/$name.so"
	cp "$libc" "$work/$name/libc.so.6" && printf %s $name >>"$work/$name/libc.so.6"
done
loads="failed to map segment|cannot be preloaded"
check() {
	try bash -c "$2"
	like "$errors" "$loads" "$1: refused while loaded"
	try bash -c "${2//banned/neighbour}"
	unlike "$errors" "$loads" "$1: its neighbour is not"
}
declare -A lines=(
	[dlopen]="$act dlopen $work/banned.so"
	[LD_PRELOAD]="LD_PRELOAD=$work/banned.so /usr/bin/true"
	[LD_AUDIT]="LD_AUDIT=$work/banned.so /usr/bin/true"
	[LD_LIBRARY_PATH]="LD_LIBRARY_PATH=$work/banned /usr/bin/true"
)
for way in "${!lines[@]}"; do
	try bash -c "${lines[$way]}"
	unlike "$errors" "$loads" "$way: loads before"
done
load "$(ban "$work/banned.so" "$work/banned/libc.so.6")"
for way in "${!lines[@]}"; do
	check "$way" "${lines[$way]}"
done
unload
for way in "${!lines[@]}"; do
	try bash -c "${lines[$way]}"
	unlike "$errors" "$loads" "$way: loads after"
done
done_testing
