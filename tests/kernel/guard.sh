#!/bin/bash
# SPDX-License-Identifier: MIT
# boot: own
# kernels: 6.1 7.3
# timeout: 300
#
# --guard: when it is armed, what goes on beside it, what does not loosen it, and its switches. What
# it refuses is tried by tests/bypass/E17-guard.sh. Armed, it goes with the guest: only a reboot takes
# it off.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

cp /usr/bin/true "$work/banned" && echo 1 >>"$work/banned"
banned=$work/banned
policy=$(ban "$banned")

# ---- not without a way off -----------------------------------------------------------------------
exits 2 "--guard is refused where debar=off was never tried" "$DEBAR" load -p "$policy" --guard
like "$errors" "^hint: boot it once with debar=off" "with what to do about it"
runs "and nothing was loaded" test ! -e /sys/fs/bpf/debar
echo "$(cat /proc/cmdline) debar=off" >"$work/cmdline"
mount --bind "$work/cmdline" /proc/cmdline
runs "a boot with debar=off" "$DEBAR" run -p "$policy"
runs "loads nothing, and is noted" test ! -e /sys/fs/bpf/debar -a -e /var/lib/debar/booted-off
umount /proc/cmdline

# ---- what a neighbour has before -----------------------------------------------------------------
sleep 600 &
neighbour=$!
at_exit "kill -9 $neighbour"
mkdir -p "$work/mount" "$work/moved"
neighbours() {
	runs "$1: another loader makes a map" bpftool map create /sys/fs/bpf/others type hash key 4 value 4 entries 8 name others
	runs "$1: writes it" bpftool map update pinned /sys/fs/bpf/others key 1 0 0 0 value 2 0 0 0
	like "$(bpftool map 2>&1)" "name others" "$1: finds it among all maps"
	unlike "$(bpftool map 2>&1; bpftool prog 2>&1; bpftool link 2>&1)" "Error" "$1: and lists all there is"
	runs "$1: renames its pin" mv /sys/fs/bpf/others /sys/fs/bpf/others2
	runs "$1: removes it" rm /sys/fs/bpf/others2
	runs "$1: another mount can be made" mount -t tmpfs tmpfs "$work/mount"
	runs "$1: and taken off" umount "$work/mount"
	runs "$1: a service has mounts of its own" unshare -m bash -c \
		"mount -t tmpfs tmpfs $work/mount && mount --make-private $work/mount && umount -l /sys/fs/bpf; umount $work/mount"
	runs "$1: another process can be stopped" bash -c "kill -STOP $neighbour && kill -CONT $neighbour"
	runs "$1: and traced" timeout 20 bash -c "strace -o /dev/null true"
	runs "$1: another switch can be set" sysctl -w kernel.printk_ratelimit=5
	runs "$1: a module can be loaded" modprobe dummy
	runs "$1: and unloaded" rmmod dummy
}
neighbours "without the guard"

# Nobody but init ends it by a signal; without it the guard goes on.
end_controller() {
	mkdir -p /sys/fs/cgroup/ended
	echo "$controller" >/sys/fs/cgroup/ended/cgroup.procs
	echo 1 >/sys/fs/cgroup/ended/cgroup.kill
	wait "$controller" 2>/dev/null
}

# ---- armed, with a controller --------------------------------------------------------------------
controller -p "$policy" --guard
is_denied "armed: it is enforced" bash -c "$banned"
is "$("$DEBAR" status --json | jq -c .guard.switches)" '[]' "debar status knows"
runs "the controller lives" kill -0 "$controller"
is "$("$DEBAR" status --json | jq -r .canary)" refused "debar status tries the canary: refused"
is_denied "it is enforced" bash -c "$banned"
is "$(cat /proc/sys/kernel/ftrace_enabled)" 1 "the switch is as it was"

# ---- what debar itself does not do ---------------------------------------------------------------
exits 2 "debar load beside it is refused as ever" "$DEBAR" load -p "$policy" --audit
runs "debar reload is done" "$DEBAR" reload
# The maps of generations that are gone are forgotten, or their numbers would fill the table.
objects() {
	"$DEBAR" status --json | jq .guard.objects
}
before=$(objects)
for _ in {1..8}; do
	"$DEBAR" reload >"$work/said"
done
is $(($(objects) - before < 10)) 1 "8 reloads leave no more than $before objects to keep"
is_denied "and it is enforced" bash -c "$banned"
end_controller
is_denied "killed with its cgroup: it is enforced" bash -c "$banned"
for option in --audit --force "--for 1s"; do
	# shellcheck disable=SC2086 # words
	exits 2 "debar load $option does not loosen it" "$DEBAR" load -p "$policy" $option
	like "$errors" "the guard is armed" "and says why"
done
exits 2 "debar unload does not take it off" "$DEBAR" unload
like "$errors" "boot with debar=off on the kernel command line" "and says what does"
controller -p "$policy" --guard
is_denied "the real controller is admitted again" bash -c "$banned"
neighbours "with the guard"

# ---- its switches: each only where it was named, and on for good ---------------------------------
exits 2 "a switch that there is not" "$DEBAR" load -p "$policy" --guard=modules,rockets
like "$errors" 'takes modules, kexec, mem and lockdown, not "rockets"' "is told"
exits 2 "nor an empty one" "$DEBAR" load -p "$policy" --guard=
exits 2 "--guard in one cgroup" "$DEBAR" load -p "$policy" --guard --cgroup /sys/fs/cgroup/ended
module=$(modprobe --show-depends dummy | sed -n 's/^insmod //p' | tr -d ' ')
case $module in *.xz) xz -dc <"$module" >"$work/dummy.ko" ;; *) cp "$module" "$work/dummy.ko" ;; esac
# switched WHAT REFUSED...: these alone are refused.
switched() {
	local what=$1
	shift
	try build/tests/kernel/attack kernel "$work/dummy.ko"
	is "$(sed -n 's/^refused \([^:]*\):.*/\1/p' <<<"$output" | tr '\n' ' ')" "$*${1:+ }" "$what"
}
switched "without a switch nothing of the kernel's is refused"
end_controller
controller -p "$policy" --guard=modules,kexec
switched "modules and kexec" finit_module kexec_load
end_controller
controller -p "$policy" --guard=mem
switched "mem adds to them" finit_module kexec_load /dev/mem /proc/kcore
end_controller
controller -p "$policy" --guard=lockdown
switched "lockdown does, too" finit_module kexec_load /dev/mem /proc/kcore ioperm
like "$(cat /run/debar/events.json)" '"guard":"module"' "events tell of it"
is "$("$DEBAR" status --json | jq -c .guard.switches)" '["modules","kexec","mem","lockdown"]' "debar status, too"
like "$("$DEBAR" status)" '^  guard .* armed, .*refuses modules, kexec, mem, lockdown$' "and says so to people"
is_denied "at the end it is enforced" bash -c "$banned"
done_testing
