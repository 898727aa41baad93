#!/bin/bash
# SPDX-License-Identifier: MIT
# kernels: 6.1
# timeout: 300
# memory: 2048
# disk: ext4
# resets: yes
# append: rdinit=/debar/tests/kernel/systemd_init
# add: loader/debar.service:/debar/loader/debar.service /usr/lib/systemd /usr/bin/systemctl
#
# The ways back for who cannot reach the machine, where systemd boots it and starts the unit: each
# in a boot of its own. Every boot runs this again; what was found is on the disk until the last.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

[ "$(cat /proc/1/comm)" = systemd ] || skip_all "systemd is not installed here"
disk=/mnt/ext4
banned=$disk/banned
drop_in=$disk/root/etc/systemd/system/debar.service.d/test.conf
tap_undo=() # what is loaded stays

# next [WORD]...: this boot ends as by the reset button, and the next has these words on its line.
next() {
	echo "tap_run=$tap_run tap_failed=$tap_failed boot=$((boot + 1))" >"$disk/so_far"
	echo "$(cat "$disk/words") $*" >"$disk/cmdline"
	sync
	echo b >/proc/sysrq-trigger
	sleep 60
}

# unit [LINE]...: in the service's section, from the next boot on.
unit() {
	mkdir -p "${drop_in%/*}"
	printf '%s\n' '[Service]' "$@" >"$drop_in"
}

status_now() { debar status --json | jq -r "$1"; }

boot_0() { # nothing of debar's is here: it is installed
	runs "before: it runs" "$banned"
	mkdir -p "$disk/root/usr/sbin" "$disk/root/etc/debar/policy.d" "$disk/root/etc/systemd/system/sysinit.target.wants"
	ln -s "$PWD/build/debar" "$disk/root/usr/sbin/debar"
	cp loader/debar.service "$disk/root/etc/systemd/system/"
	ln -s ../debar.service "$disk/root/etc/systemd/system/sysinit.target.wants/"
	cp "$(ban "$banned")" "$disk/root/etc/debar/policy.d/test.yaml"
	next debar=audit
}

boot_1() {
	is "$(systemctl is-active debar)" active "debar=audit: the unit has started"
	runs "and what is banned runs" "$banned"
	is "$(status_now .audit_because)" "debar=audit on the kernel command line" "debar status says why"
	is "$(status_now ".counters.audit > 0")" true "and it was told"
	next debar=off
}

boot_2() {
	is "$(systemctl is-active debar)" inactive "debar=off: the unit has not"
	is "$(systemctl show -P ConditionResult debar)" no "for that reason"
	runs "nothing is loaded" test ! -e /sys/fs/bpf/debar
	runs "and what is banned runs" "$banned"
	runs "started by hand it says that there is nothing to do" debar load
	runs "nothing is loaded" test ! -e /sys/fs/bpf/debar
	unit ExecStart= 'ExecStart=/usr/sbin/debar run --for 25s'
	next
}

boot_3() {
	local tries=0
	if [ "$(status_now .mode)" = enforce ] && ! "$banned" 2>"$work/errors"; then
		like "$(cat "$work/errors")" 'Operation not permitted' "run --for: it is refused from the start"
	else
		skip "run --for: it is refused from the start" "this machine took longer to boot than that"
	fi
	systemctl kill -s KILL debar
	systemctl stop debar
	until "$banned" 2>/dev/null || [ $((++tries)) -gt 300 ]; do sleep 0.2; done
	runs "with no controller left, the time ends" "$banned"
	is "$(status_now .audit_because)" "the time of --for is over" "debar status says why"
	like "$(cat /var/lib/debar/boots)" 'end open' "killed: the boot is not a good one"
	unit
	next
}

boot_4() {
	is "$(systemctl is-active debar)" active "the next boot: the unit has started"
	is_denied "and enforces" bash -c "$banned"
	like "$(cat /var/lib/debar/boots)" '^failed 1$' "the one before has failed"
	unit Environment=DEBAR_GOOD_AFTER=1
	next
}

boot_5() {
	local tries=0
	runs "the third, after two that failed, refuses nothing" "$banned"
	is "$(status_now .audit_because)" "boots under enforcement were not found good" "debar status says why"
	like "$(systemctl show -P StatusText debar)" "audit only" "systemctl status, too"
	until grep -q 'end good' /var/lib/debar/boots || [ $((++tries)) -gt 300 ]; do sleep 0.2; done
	like "$(cat /var/lib/debar/boots)" 'end good' "having started up, it is a good one"
	next
}

boot_6() {
	is_denied "after which the next enforces again" bash -c "$banned"
}

boot=0
if [ -e "$disk/so_far" ]; then
	# shellcheck source=/dev/null
	. "$disk/so_far"
else
	cat /proc/cmdline >"$disk/words"
	cp /usr/bin/true "$banned" && printf b >>$banned
fi
boot_$boot >>"$disk/tap" 2>&1
cat "$disk/tap"
done_testing
