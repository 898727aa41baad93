#!/bin/bash
# SPDX-License-Identifier: MIT
# E14: one byte appended or changed; a build-id outlives that, until it is changed itself.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/../kernel/lib.sh"

make_pair
cp "$work/banned" "$work/appended" && printf x >>"$work/appended"
load "$(ban "$work/banned")"
is_denied "as it is, it is refused" "$work/banned"
limit "one byte more, and a rule by sha256 does not know it" "$work/appended"
unload

# The build-id is the file's last 20 bytes: 19 of 0xdd, and a zero, with which the program ends.
build/tests/kernel/race make "$work/program" banned note
cp "$work/program" "$work/longer" && printf x >>"$work/longer"
cp "$work/program" "$work/inside" && printf x | dd of="$work/inside" bs=1 seek=4096 conv=notrunc 2>/dev/null
cp "$work/program" "$work/renumbered" && printf '\1' | dd of="$work/renumbered" bs=1 seek=8172 conv=notrunc 2>/dev/null
printf 'ban: test\nrules:\n  - buildid: %s00\n' "$(printf 'dd%.0s' {1..19})" >"$work/policy.yaml"
for file in program longer inside renumbered; do
	runs "$file: runs before" "$work/$file"
done
controller -p "$work/policy.yaml"
is_denied "by build-id: refused as it is" "$work/program"
is_denied "by build-id: refused with a byte more" "$work/longer"
is_denied "by build-id: refused with a byte changed" "$work/inside"
limit "who changes the build-id itself passes a rule by build-id" "$work/renumbered"
for kind in tmpfs ext4 overlay; do
	scratch $kind
	beneath=$scratch/file
	[ $kind != overlay ] || beneath=$work/layers/upper/file
	build/tests/kernel/race make "$scratch/file" allowed note
	try build/tests/kernel/race early "$scratch/file" "$beneath"
	is "$output" "busy=-26 mapped=0 then=-1" "$kind: a writer from before it was asked about: refused"
done
stop_controller
unload
runs "works after" "$work/program"
done_testing
