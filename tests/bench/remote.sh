# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# A program of 1 MB on file systems where it is hashed each time, twice a run: FUSE and NFS. (9p is
# treated likewise; none of the kernels has it.) The cap is that of every file: 512 MiB.
#
# subject: file systems whose writers are not counted: hashed at each exec, by the number of instructions
# guest: --icount -m 1024 -t 900 --add /usr/bin/fuse-overlayfs
set -u
# shellcheck source=tests/kernel/lib.sh
. tests/kernel/lib.sh >&2
debar=/debar/build/debar
programs=/debar/build/tests/bench
script=$work/script
kinds=''
for kind in tmpfs fuse nfs; do
	scratch "$kind" || { echo "no rows of $kind: $why" >&2; continue; }
	cp $programs/nothing_static "$scratch/1M"
	truncate -s 1M "$scratch/1M"
	kinds+=" $kind"
done
arm() {
	for kind in $kinds; do
		echo "time exec-1M-on-$kind $1 20 $work/$kind/1M"
	done
}
{
	arm nothing
	echo "run $debar load -p /bench/1.yaml >&2"
	arm debar-1-rule
	echo "run $debar unload >&2"
} >"$script"
$programs/stopwatch "$script"
