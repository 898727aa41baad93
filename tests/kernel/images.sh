#!/bin/bash
# SPDX-License-Identifier: MIT
# add: /usr/bin/mksquashfs /lib/x86_64-linux-gnu/libgcc_s.so.1 /usr/bin/mkfs.erofs
# Programs in images that nobody can write to (snaps, live systems): refused, and hashed once.
# kernels: 6.1
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

hashes() {
	"$DEBAR" status --json | jq .counters.hash
}

# image KIND COMMAND...: the programs of $work/files in an image of that kind, mounted
image() {
	local kind=$1 before canary
	shift
	runs "$kind: an image is made" "$@"
	modprobe -a "$kind" loop
	mkdir "$work/$kind"
	runs "$kind: it is mounted" mount -t "$kind" -o loop,ro "$work/$kind.img" "$work/$kind"
	at_exit "umount $work/$kind"
	ways=(["$kind"]="$work/$kind/banned")
	prove "$(ban "$work/files/banned")"
	load "$(ban "$work/files/banned")"
	try "$work/$kind/neighbour"
	# status itself tries the canary, which is hashed each time.
	before=$(hashes)
	canary=$(($(hashes) - before))
	before=$(hashes)
	for _ in 1 2 3; do
		runs "$kind: its neighbour runs" "$work/$kind/neighbour"
	done
	is "$(($(hashes) - before - canary))" 0 "$kind: seen once, it is not hashed again"
	unload
}

mkdir "$work/files"
make_pair
mv "$work/banned" "$work/neighbour" "$work/files"
image squashfs mksquashfs "$work/files" "$work/squashfs.img" -noappend -quiet -no-progress
image erofs mkfs.erofs "$work/erofs.img" "$work/files"
done_testing
