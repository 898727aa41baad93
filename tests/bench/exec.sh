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
set -u
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

# Three rounds, and means of all: what a kernel has done before shows in its next thousand forks, as
# much as what is measured.
arm() {
	cat <<-ARM
		time static $1 400 $files/nothing_static
		time dynamic $1 400 $files/nothing
		time 300-libraries $1 4 $files/libraries $files/many 300
	ARM
}

others() {
	cat <<-OTHERS
		time static-ext4 $1 200 /mnt/ext4/files/nothing_static
		time overlay-1M $1 200 /tmp/overlay/1
		time overlay-20M $1 200 /tmp/overlay/20
		time overlay-100M $1 200 /tmp/overlay/100
	OTHERS
}

first() {
	cat <<-FIRST
		first first-sight-1M $1 10 $files/1M
		first first-sight-50M $1 1 $files/50M
	FIRST
}

load() {
	echo "run $debar load -p /bench/$1.yaml >&2"
}

# Links are taken apart some time after their pin is gone.
unload() {
	echo "run $debar unload >&2; sleep 2"
}

{
	load 1
	unload
	first nothing
	others nothing
	for _ in 1 2 3; do
		arm nothing
		for rules in 1-rule 10000-rules 1000000-rules; do
			load ${rules%%-*}
			arm debar-$rules
			unload
		done
	done
	others nothing
	load 1
	others debar-1-rule
	first debar-1-rule
	for hook in all mmap exec mprotect open ptrunc kread kload; do
		[ $hook = all ] || echo "run rm /sys/fs/bpf/debar/debar_$hook; sleep 2"
		echo "median hooks-static $hook 300 $files/nothing_static"
		echo "median hooks-dynamic $hook 300 $files/nothing"
	done
	unload
} >$script
# A hook's cost is what its end takes off. The rounds of nothing show how far figures can be trusted.
$programs/stopwatch $script >/tmp/rows
status=$?
jq -c -s 'def mean: add / length | round;
	map(select(.name | startswith("hooks-") | not)) as $arms
	| ($arms | group_by([.name, .variant]) | map(.[0] + {value: map(.value) | mean})
		| map({([.name, .variant] | tojson): .}) | add) as $means
	| ([$arms[] | [.name, .variant] | tojson] | reduce .[] as $key ([]; if index([$key]) then . else . + [$key] end)
		| map($means[.])),
	([$arms[] | select(.variant == "nothing" and (.name == "static" or .name == "dynamic"))] | group_by(.name)
		| map(.[0] + {name: "spread-of-nothing", variant: .[0].name, value: (map(.value) | max - min)})),
	(reduce (.[] | select(.name | startswith("hooks-"))) as $row ([[], {}];
		.[1][$row.name] as $before
		| .[1][$row.name] = $row.value
		| if $before == null then . else .[0] += [$row
			| .name = "hook-in-" + ($row.name | ltrimstr("hooks-"))
			| .value = $before - .value] end)
	| .[0] | sort_by(.name))
	| .[]' /tmp/rows
exit "$status"
