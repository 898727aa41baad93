#!/bin/bash
# SPDX-License-Identifier: MIT
# kernels: 6.1
# timeout: 240
#
# Who may be the controller, what is left when it goes, and the ways back.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

cp /usr/bin/true "$work/banned" && echo 1 >>"$work/banned"
policy=$(ban "$work/banned")
banned="$work/banned"

# What of debar's the kernel still has.
left() {
	bpftool -j prog | jq -r '.[] | .name // "" | select(startswith("debar"))'
	bpftool -j map | jq -r '.[] | .name // "" | select(startswith("debar"))'
	bpftool -j link | jq -r '.[] | .prog_id' | while read -r id; do
		bpftool -j prog show id "$id" | jq -r '.name // "" | select(startswith("debar")) | "link of " + .'
	done
	ls -d /sys/fs/bpf/debar* 2>/dev/null
	ls /run/debar/options.json /run/debar/rules.* 2>/dev/null
}

# nothing_left WHAT: the kernel lets go of programs some time after their last link.
nothing_left() {
	local tries=0
	while [ -n "$(left)" ] && [ $((++tries)) -lt 50 ]; do
		sleep 0.1
	done
	is "$(left)" "" "$1"
}

field() {
	"$DEBAR" status --json | jq -r "$1"
}

# ---- one controller, and what the verbs do beside it ---------------------------------------------
runs "before: it runs" "$banned"
controller -p "$policy"
is_denied "a controller enforces" bash -c "$banned"
first=$controller
exits 2 "a second one is refused" "$DEBAR" run -p "$policy"
like "$errors" "a controller runs as pid $first" "and told who is the first"
exits 2 "so is debar load" "$DEBAR" load -p "$policy"
like "$errors" "a controller runs as pid $first" "and told why"
exits 2 "and debar unload" "$DEBAR" unload
like "$errors" "hint: stop it first" "with what to do about it"
runs "the first lives on" kill -0 "$first"
is_denied "and what it put in force too" bash -c "$banned"
generation=$(field .generation)
runs "debar reload goes through it" "$DEBAR" reload
is "$(field .generation)" $((generation + 1)) "and raises the generation"
kill -9 "$first"
wait "$first" 2>/dev/null
is_denied "killed: the ban stays" bash -c "$banned"
like "$("$DEBAR" status 2>&1)" "pid $first\) is gone" "debar status says that it is gone"
controller -p "$policy"
is_denied "taken over: the ban stays" bash -c "$banned"
stop_controller
is_denied "ended: the ban stays" bash -c "$banned"
unload
runs "unloaded: it runs" "$banned"
nothing_left "and nothing of debar's is left"
exits 2 "there is nothing to unload twice" "$DEBAR" unload

# ---- locks and pins that somebody left behind ----------------------------------------------------
sleep 300 &
other=$!
at_exit "kill $other"
mkdir -p /run/debar
echo $other >/run/debar/controller.lock
controller -p "$policy"
is "$(field '.controller')" "$controller" "a lock file with another's pid stops nobody"
runs "and the other is left alone" kill -0 $other
stop_controller
unload
rm -f /run/debar/controller.lock
ln -s "$work/elsewhere" /run/debar/controller.lock
exits 2 "a link in the lock's place is not followed" "$DEBAR" run -p "$policy"
runs "and nothing was written through it" test ! -e "$work/elsewhere"
rm -f /run/debar/controller.lock
mkdir -p /sys/fs/bpf/debar-new
load "$policy"
runs "what a killed load left is cleared away" test ! -e /sys/fs/bpf/debar-new
rm -rf /run/debar
is_denied "without its directory the ban stays" bash -c "$banned"
controller -p "$policy"
is_denied "and a controller makes it again" bash -c "$banned"
stop_controller
unload
nothing_left "and that unloads like any other"

# ---- a way back on the kernel's command line -----------------------------------------------------
booted_with() {
	umount /proc/cmdline 2>/dev/null
	echo "$(cat /proc/cmdline) $1" >"$work/cmdline"
	mount --bind "$work/cmdline" /proc/cmdline
}
at_exit "umount /proc/cmdline"
booted_with debar=off
for verb in run load; do
	exits 0 "debar=off: debar $verb is done at once" "$DEBAR" $verb -p "$policy"
	is "$errors" "debar: debar=off on the kernel command line: nothing is enforced" "and says why"
	nothing_left "and has loaded nothing"
done
booted_with debar=audit
load "$policy"
like "$output" "audit only" "debar=audit: debar load says so"
runs "and nothing is refused" "$banned"
runs "nor after a reload" "$DEBAR" reload
runs "either" "$banned"
is "$(field .mode)" audit "and debar status knows"
unload
booted_with debar=of
load "$policy"
like "$errors" "debar=of on the kernel command line is neither off nor audit" "a typing error is told"
is_denied "and lets nothing pass" bash -c "$banned"
unload
umount /proc/cmdline

# ---- --for ---------------------------------------------------------------------------------------
# audits_by SECOND WHAT: by that time of the boot clock it runs.
now() {
	cut -d. -f1 /proc/uptime
}

audits_by() {
	while [ "$(now)" -lt "$1" ] && ! "$banned" 2>/dev/null; do
		sleep 0.2
	done
	runs "$2" "$banned"
}

started=$(now)
load "$policy" --for 15s
is_denied "--for 15s refuses at first" bash -c "$banned"
date -s '+1 year' >/dev/null
is_denied "a clock a year ahead does not end it" bash -c "$banned"
date -s '-2 years' >/dev/null
is_denied "nor one a year back" bash -c "$banned"
date -s '+1 year' >/dev/null
runs "nor does a reload" "$DEBAR" reload
is_denied "which refuses on" bash -c "$banned"
audits_by $((started + 25)) "and does not begin the time anew: it is over"
runs "at least 14 seconds later" test "$(now)" -ge $((started + 14))
is "$(field .generation)" 2 "with the policy still loaded"
unload

started=$(now)
controller -p "$policy" --for 15s
is_denied "a controller with --for refuses" bash -c "$banned"
kill -9 "$controller"
wait "$controller" 2>/dev/null
is_denied "killed, it is refused on" bash -c "$banned"
controller -p "$policy" --for 15s
is_denied "started again, too" bash -c "$banned"
kill -9 "$controller"
wait "$controller" 2>/dev/null
audits_by $((started + 30)) "and the time is over with no controller"
unload

# ---- phases and a clock that jumps ---------------------------------------------------------------
soon=$(date -u -d '+1 hour' +%Y-%m-%dT%H:%M:%SZ)
later=$(date -u -d '+10 hours' +%Y-%m-%dT%H:%M:%SZ)
cat >"$work/phases.yaml" <<-EOF
	ban: test
	phases:
	  - from: 2020-01-01T00:00:00Z
	    exec: audit
	    network: audit
	  - from: $soon
	    exec: deny
	    network: deny
	rules:
	  - sha256: $(sha256sum <"$banned" | cut -c1-64)
	except:
	  - uid: 1000
	    reason: a test
	    until: $later
EOF
load "$work/phases.yaml"
runs "before its phase it is only audited" "$banned"
date -s '+2 hours' >/dev/null
is_denied "in its phase it is refused, with no controller" bash -c "$banned"
as_user() {
	setpriv --reuid 1000 --regid 1000 --clear-groups "$banned"
}
chmod 755 "$work"
runs "but for who is excepted" as_user
date -s '-2 hours' >/dev/null
is_denied "a clock set back does not take it back" bash -c "$banned"
like "$("$DEBAR" status)" "clock was set back" "and debar status says that it was"
date -s '+1 year' >/dev/null
is_denied "a year ahead it is refused" bash -c "$banned"
is_denied "also who was excepted until then" bash -c 'setpriv --reuid 1000 --regid 1000 --clear-groups '"$banned"
date -s '-1 year' >/dev/null
unload
nothing_left "and that unloads, too"
done_testing
