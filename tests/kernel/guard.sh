#!/bin/bash
# SPDX-License-Identifier: MIT
# boot: own
# kernels: 6.1 7.3
# timeout: 300
#
# --guard: root's ordinary tools are kept off debar's objects, off nothing else, and the controller
# can be started again. What is armed here goes with the guest: only a reboot takes it off.
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

# ---- the attempts are real: without the guard they work, until there is nothing left to try -------
load "$policy"
try unshare -m --propagation private build/tests/kernel/attack "$neighbour"
echo 1 >/proc/sys/kernel/ftrace_enabled
worked=$(grep -c '^WORKED' <<<"$output")
runs "$worked attempts work without the guard" test "$worked" -ge 10
runs "and what is banned runs after them" bash -c "sleep 1; $banned"
rm -rf /sys/fs/bpf/* /run/debar
sleep 600 &
neighbour=$!
at_exit "kill -9 $neighbour"

# ---- armed, with a controller --------------------------------------------------------------------
controller -p "$policy" --guard
is_denied "armed: it is enforced" bash -c "$banned"
try build/tests/kernel/attack "$controller"
tap_note "$output"
unlike "$output" '^WORKED' "none of root's attempts works"
attempts=$(grep -c '^refused' <<<"$output")
runs "$attempts attempts are no fewer than 30" test "$attempts" -ge 30
runs "the controller lives" kill -0 "$controller"
is "$("$DEBAR" status --json | jq -r .canary)" refused "debar status tries the canary: refused"
is_denied "it is enforced" bash -c "$banned"
is "$(cat /proc/sys/kernel/ftrace_enabled)" 1 "the switch is as it was"

# ---- impostors -----------------------------------------------------------------------------------
cp "$DEBAR" "$work/impostor" && echo >>"$work/impostor"
exits 2 "another build of debar does not get at it" "$work/impostor" reload
library=$(ldconfig -p 2>/dev/null | awk '{ print $NF }' | grep -m 1 libreadline)
[ -n "$library" ] || for library in /usr/lib/x86_64-linux-gnu/lib{readline,tinfo,pcre2-8,jq}.so.*; do [ ! -e "$library" ] || break; done
exits 2 "nor debar with a library preloaded" env LD_PRELOAD="$library" "$DEBAR" unload
unlike "$errors" "only a reboot" "which is not even believed to be debar"
exits 2 "nor under LD_AUDIT" env LD_AUDIT="$library" "$DEBAR" reload
try strace -f -o /dev/null "$DEBAR" reload
runs "nor under strace" test "$status" -ne 0

# ---- what debar itself does not do ---------------------------------------------------------------
exits 2 "debar load beside it is refused as ever" "$DEBAR" load -p "$policy" --audit
runs "debar reload is done" "$DEBAR" reload
is_denied "and it is enforced" bash -c "$banned"
try build/tests/kernel/attack
unlike "$output" '^WORKED' "nor does any attempt work on the new generation"
mkdir -p /sys/fs/cgroup/ended
echo "$controller" >/sys/fs/cgroup/ended/cgroup.procs
echo 1 >/sys/fs/cgroup/ended/cgroup.kill
wait "$controller" 2>/dev/null
is_denied "killed with its cgroup: it is enforced" bash -c "$banned"
try build/tests/kernel/attack
unlike "$output" '^WORKED' "and guarded, with no controller"
for option in --audit --force "--for 1s"; do
	# shellcheck disable=SC2086 # words
	exits 2 "debar load $option does not loosen it" "$DEBAR" load -p "$policy" $option
	like "$errors" "the guard is armed" "and says why"
done
exits 2 "debar unload does not take it off" "$DEBAR" unload
like "$errors" "boot with debar=off on the kernel command line" "and says what does"
controller -p "$policy" --guard
is_denied "the real controller is admitted again" bash -c "$banned"
try build/tests/kernel/attack "$controller"
unlike "$output" '^WORKED' "and guarded like the first"
neighbours "with the guard"
is_denied "at the end it is enforced" bash -c "$banned"
done_testing
