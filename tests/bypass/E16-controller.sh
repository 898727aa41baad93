#!/bin/bash
# SPDX-License-Identifier: MIT
# E16: the controller is ended, stopped, starved or fed with files made to crash it: what is banned by
# digest, or was classified before, stays refused, whatever is not banned runs, and the next one goes on.
# kernels: 6.1
# timeout: 300
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/../kernel/lib.sh"

make_pair
group=/sys/fs/cgroup/controller
mkdir -p $group
at_exit "echo 0 >$group/cgroup.freeze; echo 1 >$group/cgroup.kill; sleep 0.5; rmdir $group"
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
cp "$(type -P nl)" "$work/classified"
printf 'ban: none\nrules:\n  - sha256: %064d\n' 1 >"$work/none.yaml"
buildid=$("$DEBAR" check --json -p "$work/none.yaml" "$work/classified" | jq -r .buildid)
printf '  - buildid: %s\n' "$buildid" >"$work/more"
policy=$(ban "$work/banned")
cat "$work/more" >>"$policy"

# What holds after anything that came over the controller.
stands() {
	is_denied "$1: what is banned by digest is refused" bash -c "$work/banned"
	is_denied "$1: what was classified is" bash -c "$work/classified /dev/null"
	runs "$1: the neighbour runs" "$work/neighbour"
}

# afresh: a controller in a cgroup of its own.
afresh() {
	controller -p "$policy"
	echo "$controller" >$group/cgroup.procs
}

# gone WHAT: it does not live on, whoever ended it: the watcher ends one that does not beat.
gone() {
	local tries=0
	while kill -0 "$controller" 2>/dev/null && [ $((++tries)) -lt 300 ]; do
		sleep 0.1
	done
	runs "$1: the controller is gone" bash -c "! kill -0 $controller"
	wait "$controller" 2>/dev/null
}

# ---- files made to crash it ----------------------------------------------------------------------
afresh
is_denied "classified: refused" "$work/classified" /dev/null
fed=0
for file in tests/data/identity/pe/*; do
	cp "$file" "$work/odd"
	chmod 755 "$work/odd"
	timeout 20 "$work/odd" 2>/dev/null >&2
	fed=$((fed + 1))
done
for at in 1 4 16 20 24 32 40 44 54 58 60 62 64 72 96 120 128; do
	cp "$work/neighbour" "$work/odd"
	printf '\377\377\377\377\377\377\377\177' | dd of="$work/odd" bs=1 seek=$at conv=notrunc 2>/dev/null
	timeout 20 "$work/odd" 2>/dev/null >&2
	head -c $((at + 8)) "$work/neighbour" >"$work/odd"
	timeout 20 "$work/odd" 2>/dev/null >&2
	fed=$((fed + 2))
done
runs "$fed broken programs were run, and the controller lives" kill -0 "$controller"
stands "fed"

# ---- ended, stopped, starved ---------------------------------------------------------------------
kill -9 "$controller"
gone "kill -9"
stands "kill -9"
afresh
kill -SEGV "$controller"
gone "kill -SEGV"
stands "kill -SEGV"
afresh
echo 1 >$group/cgroup.kill
gone "cgroup.kill"
stands "cgroup.kill"
afresh
kill -STOP "$controller"
stands "kill -STOP"
gone "kill -STOP"
afresh
echo 1 >$group/cgroup.freeze
stands "cgroup.freeze"
gone "cgroup.freeze"
echo 0 >$group/cgroup.freeze
if [ -e $group/memory.max ]; then
	afresh
	echo 4096 >$group/memory.max
	echo 0 >$group/memory.max
	cp "$work/classified" "$work/large" && truncate -s 64M "$work/large"
	try timeout 20 "$work/large" /dev/null
	gone "out of memory"
	stands "out of memory"
	echo max >$group/memory.max
else
	skip "out of memory" "this kernel has no memory controller for cgroups"
fi

# ---- and the next one ----------------------------------------------------------------------------
controller -p "$policy"
stands "with another controller"
cp "$work/classified" "$work/longer" && echo >>"$work/longer"
is_denied "which classifies" bash -c "$work/longer /dev/null"
stop_controller
cp "$work/longer" "$work/longest" && echo >>"$work/longest"
limit "content first seen while there is no controller: unclassified: allow" "$work/longest" /dev/null
unload
runs "unloaded, what was banned runs" "$work/banned"
done_testing
