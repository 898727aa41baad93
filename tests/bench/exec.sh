# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What an exec costs, by the number of instructions.
#
# subject: what an exec costs, by the number of instructions
# limit: static debar-* +0.4%
# limit: dynamic debar-* +0.5%
# goal: static debar-* +0.2%
# goal: dynamic debar-* +0.2%
# limit: *static* debar-1000000-rules +1000 over debar-1-rule
# limit: dynamic debar-1000000-rules +1000 over debar-1-rule
# limit: overlay-* debar-* +1%
# guest: --icount -m 3072 -t 2400 --disk
set -eu
debar=/debar/build/debar
programs=/debar/build/tests/bench
files=/tmp/files
script=/tmp/script
mkdir -p $files/many /tmp/{lower,upper,work,overlay} /mnt/ext4/files
cp $programs/{nothing,nothing_static,libraries} $files/
cp $programs/nothing_static /mnt/ext4/files/
tee $files/many/{0..299} </bench/tiny.so >/dev/null
# sized NAME MIB: the static program with zeroes behind it.
sized() {
	cp $programs/nothing_static "$1"
	head -c $(($2 * 1048576 - $(stat -c %s $programs/nothing_static))) /dev/zero >>"$1"
}
for size in 1 20 100; do
	sized /tmp/lower/$size $size
done
sized $files/1M 1
sized $files/50M 50
modprobe overlay
mount -t overlay overlay -o lowerdir=/tmp/lower,upperdir=/tmp/upper,workdir=/tmp/work /tmp/overlay

arm() {
	cat <<-ARM
		time static $1 1000 $files/nothing_static
		time dynamic $1 1000 $files/nothing
		time 300-libraries $1 10 $files/libraries $files/many 300
	ARM
}

others() {
	cat <<-OTHERS
		time static-ext4 $1 300 /mnt/ext4/files/nothing_static
		time overlay-1M $1 300 /tmp/overlay/1
		time overlay-20M $1 300 /tmp/overlay/20
		time overlay-100M $1 300 /tmp/overlay/100
		first first-sight-1M $1 10 $files/1M
		first first-sight-50M $1 1 $files/50M
	OTHERS
}

load() {
	echo "run $debar load -p /bench/$1.yaml >&2"
}

{
	arm nothing
	others nothing
	load 1
	arm debar-1-rule
	others debar-1-rule
	# Links are taken apart some time after their pin is gone.
	for hook in mmap exec mprotect open ptrunc kread kload; do
		echo "run rm /sys/fs/bpf/debar/debar_$hook; sleep 2"
		echo "time hooks-static less-$hook 300 $files/nothing_static"
		echo "time hooks-dynamic less-$hook 300 $files/nothing"
	done
	echo "run $debar unload >&2; sleep 2"
	load 10000
	arm debar-10000-rules
	echo "run $debar unload >&2; sleep 2"
	load 1000000
	arm debar-1000000-rules
	echo "run $debar unload >&2; sleep 2"
	arm nothing-again
} >$script
# A hook's cost is what its end takes off.
$programs/stopwatch $script | tee /tmp/rows | grep --line-buffered -v '"hooks-'
status=${PIPESTATUS[0]}
jq -c -s '(map(select(.variant == "debar-1-rule")) | map({(.name): .value}) | add) as $all
	| reduce (.[] | select(.name | startswith("hooks-"))) as $row ([[], $all];
		($row.name | ltrimstr("hooks-")) as $program
		| .[1][$program] as $before
		| .[0] += [$row | .name = "hook-in-" + $program | .variant |= ltrimstr("less-")
			| .value = $before - .value]
		| .[1][$program] = $row.value)
	| .[0] | sort_by(.name) | .[]' /tmp/rows
exit "$status"
