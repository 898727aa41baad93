#!/bin/bash
# SPDX-License-Identifier: MIT
# E2: the dynamic loader is asked to run it, under its own or another name.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/../kernel/lib.sh"

make_pair
cp /lib64/ld-linux-x86-64.so.2 "$work/loader"
declare -A lines=(
	[ld.so]="/lib64/ld-linux-x86-64.so.2 $work/banned"
	[a copy of ld.so]="$work/loader $work/banned"
	[ld.so in a shell of its own]="exec -a innocent /lib64/ld-linux-x86-64.so.2 $work/banned"
	[ld.so of a copy]="cp $work/banned $work/x; /lib64/ld-linux-x86-64.so.2 $work/x"
)
for way in "${!lines[@]}"; do
	runs "$way: works before" bash -c "${lines[$way]}"
done
load "$(ban "$work/banned")"
for way in "${!lines[@]}"; do
	try bash -c "${lines[$way]}"
	like "$status $errors" '^127 .*failed to map segment' "$way: refused while loaded"
	runs "$way: its neighbour runs" bash -c "${lines[$way]//banned/neighbour}"
done
unload
for way in "${!lines[@]}"; do
	runs "$way: works after" bash -c "${lines[$way]}"
done
done_testing
