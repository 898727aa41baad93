#!/bin/bash
# SPDX-License-Identifier: MIT
# Machines on which debar cannot work, or not as it is: one line that says why, status 2, and what was
# in force stays in force.
# kernels: 6.1 7.3
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

make_pair
policy=$(ban "$work/banned")
chmod 644 "$policy"

# hopeless WHAT REGEX COMMAND...: status 2, one line of error and no more, whatever hints follow.
hopeless() {
	local what=$1 regex=$2
	shift 2
	exits 2 "$what: status 2" "$@"
	like "$errors" "^debar: .*$regex" "$what: says why"
	is "$(grep -c '^debar: ' <<<"$errors")" 1 "$what: in one line"
}

hopeless "not root" 'only root' setpriv --reuid 1000 --clear-groups "$DEBAR" load -p "$policy"
umount /sys/fs/bpf
hopeless "no bpffs" 'bpf file system' "$DEBAR" load -p "$policy"
like "$errors" '^hint: mount -t bpf' "no bpffs: says what to do"
runs "no bpffs: nothing is enforced" "$work/banned"
mount -t bpf bpf /sys/fs/bpf

load "$policy"
hopeless "not root, loaded" 'only root' setpriv --reuid 1000 --clear-groups "$DEBAR" reload
hopeless "not root, unload" '' setpriv --reuid 1000 --clear-groups "$DEBAR" unload
is_denied "and what was in force stays" "$work/banned"
head -c 100000 /dev/urandom >"$work/binary.yaml"
exits 2 "a binary policy" "$DEBAR" load -p "$work/binary.yaml"
like "$errors" 'binary.yaml:[0-9]+:[0-9]+: ' "a binary policy: says where"
: >"$work/empty.yaml"
exits 2 "an empty policy" "$DEBAR" load -p "$work/empty.yaml"
mkdir "$work/mixed"
cp "$policy" "$work/mixed/good.yaml"
echo 'ban: [' >"$work/mixed/bad.yaml"
exits 2 "a directory with one bad file among good ones" "$DEBAR" load -p "$work/mixed"
is_denied "and what was in force stays" "$work/banned"
exits 2 "a closed output" bash -c "$DEBAR status >&-"
is_denied "a closed output changes nothing" "$work/banned"
bash -c "$DEBAR load -p $policy >&- 2>&-"
is_denied "load with no output at all still enforces" "$work/banned"

# What another version left is not used, and is replaced.
build/tests/kernel/state abi 99
hopeless "pins of another version: reload" 'ABI 99' "$DEBAR" reload
is_denied "pins of another version go on enforcing" "$work/banned"
load "$policy"
is_denied "load replaces them" "$work/banned"
is "$("$DEBAR" status --json | jq -c '[.enforcing, .canary]')" '[true,"refused"]' "and status tells so"
unload
runs "works after" "$work/banned"
done_testing
