#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 500
# boot: own
# memory: 1536
# add: /usr/bin/fuse-overlayfs
# File systems whose writers the kernel does not count in the inode that it runs, FUSE and NFS (9p is
# treated likewise, and in none of these kernels): what is refused elsewhere is refused there, the file
# is hashed each time, what the server changed is seen, and above the cap `oversize` decides.
# kernels: 6.1
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

act=$(realpath build/tests/kernel/act)
make_pair
policy=$(ban "$work/banned")
sed '1a oversize: deny' "$policy" >"$work/deny.yaml"
sed '1a oversize: allow' "$policy" >"$work/allow.yaml"

counter() {
	"$DEBAR" status --json | jq ".counters.$1"
}

# hashed WHAT: so many contents are hashed by two runs of it, but for what status itself runs.
hashed() {
	local before middle
	before=$(counter hash)
	middle=$(counter hash)
	"$1" && "$1"
	echo $(($(counter hash) - middle - (middle - before)))
}

on() {
	local kind=$1
	if ! scratch "$kind"; then
		skip "$kind" "${why:-it cannot be mounted}"
		return
	fi
	cp "$work"/{banned,neighbour} "$scratch/"
	ways=(
		["$kind: exec"]="$scratch/banned"
		["$kind: mapped"]="$act mmap $scratch/banned"
		["$kind: copied to tmpfs"]="cp $scratch/banned $work/copy-banned; $work/copy-banned"
	)
	prove "$work/deny.yaml"

	load "$work/deny.yaml"
	runs "$kind: the neighbour runs" "$scratch/neighbour"
	is "$(hashed "$scratch/neighbour")" 4 "$kind: it is hashed at each of two runs, when judged and when mapped"
	try /lib64/ld-linux-x86-64.so.2 "$scratch/banned"
	like "$status $errors" '^127 .*failed to map segment' "$kind: refused to ld.so"
	is_denied "$kind: mapped first, made executable later: refused, nothing was remembered" \
		"$act" mprotect "$scratch/banned"
	limit "$kind: so is one that nobody bans, and that is refused although" \
		bash -c "! $act mprotect $scratch/neighbour 2>/dev/null"

	cp "$work/neighbour" "$scratch/changing"
	runs "$kind: innocent, it runs" "$scratch/changing"
	cat "$work/banned" >"$server/changing"
	try "$scratch/changing"
	for _ in 1 2 3 4 5; do # until the client's cache lets go
		[ $status -eq 0 ] || break
		sleep 1
		echo 3 >/proc/sys/vm/drop_caches
		try "$scratch/changing"
	done
	like "$errors" 'Operation not permitted' "$kind: changed on the server, it is refused"

	cp "$work/neighbour" "$scratch/huge"
	truncate -s 513M "$scratch/huge"
	is_denied "$kind: above the cap, oversize: deny refuses" "$scratch/huge"
	load "$work/allow.yaml"
	runs "$kind: oversize: allow lets it run" "$scratch/huge"
	is "$(("$(counter oversize)" >= 2))" 1 "$kind: counted"
	rm -f "$scratch/huge"
	unload
}

on fuse
on nfs
skip 9p "none of these kernels has it"
done_testing
