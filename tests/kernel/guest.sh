#!/bin/bash
# SPDX-License-Identifier: MIT
# The guest is what the other tests take it for: a BPF LSM, file systems, nothing of the host's.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

like "$(cat /sys/kernel/security/lsm)" '(^|,)bpf(,|$)' "bpf is among the security modules"
runs "the kernel describes its types" test -s /sys/kernel/btf/vmlinux
for place in /sys/fs/bpf /sys/fs/cgroup /sys/kernel/tracing /proc /dev/pts; do
	runs "$place is mounted" grep -q " $place " /proc/mounts
done
declare -A magics=([tmpfs]=1021994 [ext4]=ef53 [overlay]=794c7630)
for kind in tmpfs ext4 overlay; do
	scratch $kind
	runs "a file can be written and run on $kind" bash -c "cp /usr/bin/true $scratch/ && $scratch/true"
	magic=$(stat -f -c %t "$scratch")
	is "$magic" "${magics[$kind]}" "$scratch is $kind"
done
is "$(ls /sys/class/net)" lo "no network but loopback"
done_testing
