#!/bin/bash
# SPDX-License-Identifier: MIT
# kernels: 6.1
# timeout: 600
#
# What cannot be had is told, and leaves what was in force as it was: no bpf file system, no room, no
# descriptors, no memory, and a signal at any moment.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

cp /usr/bin/true "$work/banned" && echo 1 >>"$work/banned"
banned=$work/banned
policy=$(ban "$banned")

# refuses WHAT REGEX COMMAND...: status 2, one message that says so, and nothing was loaded.
refuses() {
	local what=$1 regex=$2
	shift 2
	exits 2 "$what" "$@"
	like "$errors" "$regex" "and the message says so"
	runs "and nothing is refused" "$banned"
}

# ---- the bpf file system -------------------------------------------------------------------------
umount /sys/fs/bpf
refuses "no bpf file system" "hint: mount -t bpf bpf /sys/fs/bpf" "$DEBAR" load -p "$policy"
mount -t bpf -o ro bpf /sys/fs/bpf
refuses "one that is read-only" "Read-only file system" "$DEBAR" load -p "$policy"
mount -o remount,rw /sys/fs/bpf
load "$policy"
mount -o remount,ro /sys/fs/bpf
is_denied "read-only after the load: the ban stays" bash -c "$banned"
exits 2 "unload cannot, then" "$DEBAR" unload
like "$errors" "Read-only file system" "and says why"
mount -o remount,rw /sys/fs/bpf
unload

# ---- no policy, no directory ---------------------------------------------------------------------
rm -rf /etc/debar
exits 2 "no /etc/debar" "$DEBAR" load
like "$errors" "^hint: ln -s .*kaspersky.yaml /etc/debar/policy.d/" "and the way to enable a ban"
mkdir -p /etc/debar/policy.d

# ---- no room: what is kept beside is not what enforces -------------------------------------------
mkdir -p /run/debar
mount -t tmpfs -o size=4k tmpfs /run/debar
dd if=/dev/zero of=/run/debar/fill bs=4k count=1 2>/dev/null
load "$policy"
like "$errors" "warning: cannot store what is in force in /run/debar: No space left" "/run is full: that is said"
is_denied "and it is enforced" bash -c "$banned"
umount /run/debar
runs "what could not be stored is no obstacle to unloading" "$DEBAR" unload
runs "which is whole" "$banned"

# ---- no descriptors, no memory -------------------------------------------------------------------
# limited OPTION VALUE: load under a limit; counts how it went.
limited() {
	local result=0
	(ulimit "$1" "$2" && exec "$DEBAR" load -p "$policy") >/dev/null 2>"$work/said" || result=$?
	if [ $result -eq 0 ]; then
		done=$((done + 1))
		"$banned" 2>/dev/null && wrong+="$1 $2: loaded, and it runs; "
		"$DEBAR" unload >/dev/null || wrong+="$1 $2: cannot be unloaded; "
		return
	fi
	failed=$((failed + 1))
	# 127: not even the program's libraries could be mapped.
	[ $result -eq 2 ] || [ $result -eq 127 ] || wrong+="$1 $2: status $result: $(tail -1 "$work/said"); "
	[ ! -e /sys/fs/bpf/debar ] || wrong+="$1 $2: failed, and left pins; "
	[ -s "$work/said" ] || wrong+="$1 $2: failed without a word; "
}

done=0 failed=0 wrong=''
for files in 4 6 8 12 16 24 32 40 48 56 64 80 96 128; do
	limited -n $files
done
is "$wrong" "" "few descriptors: $failed times told, $done times loaded, never half"
runs "and it was tried on both sides of enough" test "$failed" -gt 0 -a "$done" -gt 0
done=0 failed=0 wrong=''
for kib in 8000 16000 20000 24000 28000 32000 40000 48000 64000 96000 160000 400000; do
	limited -v $kib
done
is "$wrong" "" "little memory: $failed times told, $done times loaded, never half"
runs "and that was tried on both sides of enough" test "$failed" -gt 0 -a "$done" -gt 0
load "$policy"
wrong=0
for files in 4 8 16 24 32; do
	(ulimit -n $files && exec "$DEBAR" reload) >/dev/null 2>&1 && continue
	"$banned" 2>/dev/null && wrong=$((wrong + 1))
done
is $wrong 0 "a reload that fails for want of descriptors leaves the ban"
unload

# ---- a signal at any moment of start and stop ----------------------------------------------------
load "$policy"
wrong=''
for ((i = 0; i < 20; i++)); do
	signal=$([ $((i % 2)) = 0 ] && echo TERM || echo INT)
	# A shell has its background jobs ignore SIGINT.
	env --default-signal=INT "$DEBAR" run -p "$policy" >/dev/null 2>&1 &
	controller=$!
	sleep "0.$(printf %03d $((RANDOM % 700)))"
	kill -"$signal" $controller
	result=0
	wait $controller || result=$?
	# Before it catches signals, they end it; after, it ends cleanly.
	case $result in 0 | 130 | 143) ;; *) wrong+="$signal: $result; " ;; esac
	"$banned" 2>/dev/null && wrong+="$signal: it ran; "
done
is "$wrong" "" "20 signals at any moment of start and stop"
unload
runs "and it runs when unloaded" "$banned"
done_testing
