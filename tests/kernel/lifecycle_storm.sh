#!/bin/bash
# SPDX-License-Identifier: MIT
# kernels: 6.1
# timeout: 900
# disk: ext4
#
# Nothing that happens to the controller is seen by who runs programs: it is killed, started again,
# given policies and replaced by another version, while banned and allowed programs are run as fast
# as they can be. DEBAR_LONG=1: as often as the promise says, which takes hours.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"
[ -n "${DEBAR_LONG-}" ] || grep -q DEBAR_LONG /proc/cmdline || skip_all "takes many minutes: DEBAR_LONG"

kills=50 reloads=20 upgrades=5 fresh_kills=10
if [ -n "${DEBAR_LONG-}" ] || grep -q DEBAR_LONG /proc/cmdline; then
	kills=1000 reloads=200 upgrades=50 fresh_kills=100
fi

storm=build/tests/kernel/storm_static
cp $storm "$work/allowed"
cp $storm "$work/banned" && echo 1 >>"$work/banned"
cp $storm /mnt/ext4/banned && echo 2 >>/mnt/ext4/banned
at_exit "rm -f /mnt/ext4/banned*"
cp $storm "$work/late" && echo 3 >>"$work/late"
policy=$(ban "$work/banned" /mnt/ext4/banned)

start_storm() {
	$storm "$work/banned" /mnt/ext4/banned -- "$work/allowed" >"$work/tally" &
	storming=$!
	at_exit "kill $storming"
}

# calm WHAT LEAST: end the storm; nothing banned ran, nothing allowed was refused, and enough was tried.
calm() {
	kill $storming
	wait $storming
	tap_note "$1: $(cat "$work/tally")"
	like "$(cat "$work/tally")" '^banned 0 ran [0-9]+ refused 0 other,' "$1: no banned program ran"
	like "$(cat "$work/tally")" 'mapped 0 ran [0-9]+ refused 0 other,' "$1: none was mapped"
	like "$(cat "$work/tally")" 'allowed [0-9]+ ran 0 refused 0 other$' "$1: no allowed program was refused"
	read -r _ _ _ refused _ <<<"$(cat "$work/tally")"
	runs "$1: $refused refusals are more than $2" test "$refused" -gt "$2"
}

# pause: up to a second, for what happens at any moment.
pause() {
	sleep "0.$(printf %03d $((RANDOM % 1000)))"
}

run_controller() {
	truncate -s 0 "$work/events" # the words of the one before are not this one's
	"$DEBAR" run -p "$policy" >"$work/events" 2>>"$work/messages" &
	controller=$!
}

until_ready() {
	local tries=0
	until grep -q ^running: "$work/events"; do
		kill -0 $controller 2>/dev/null && [ $((++tries)) -lt 600 ] || return 1
		sleep 0.05
	done
}

runs "banned programs run before" "$work/banned"
load "$policy"
is_denied "and are refused when loaded" bash -c "$work/banned"

# ---- killed, half of the times while it starts ---------------------------------------------------
start_storm
ready=0 early=0 refused_start=0
for ((i = 0; i < kills; i++)); do
	run_controller
	if [ $((i % 2)) -eq 0 ]; then
		if until_ready; then
			ready=$((ready + 1))
			[ $((i % 10)) -ne 0 ] || pause
		else
			refused_start=$((refused_start + 1))
		fi
	else
		pause
		early=$((early + 1))
	fi
	kill -9 $controller
	wait $controller
done 2>/dev/null
calm "$kills kills" "$kills"
is "$refused_start" 0 "each of the $ready controllers that were waited for took over"
is_denied "what is banned is refused after the last kill" bash -c "$work/banned"

# ---- given policies, by a controller and without one ---------------------------------------------
cp "$policy" "$work/first"
ban "$work/banned" /mnt/ext4/banned "$work/late" | xargs -I{} mv {} "$work/second"
start_storm
failed=0
"$DEBAR" reload >/dev/null || failed=1
run_controller
until_ready || failed=$((failed + 1))
for ((i = 1; i <= reloads; i++)); do
	if [ $i -eq $((reloads / 2)) ]; then
		kill $controller
		wait $controller
	fi
	case $((i % 2)) in
	0) cp "$work/first" "$work/new" ;;
	1) cp "$work/second" "$work/new" ;;
	esac
	mv "$work/new" "$policy"
	"$DEBAR" reload >/dev/null 2>>"$work/messages" || failed=$((failed + 1))
done
calm "$reloads reloads" "$reloads"
is "$failed" 0 "every reload was done"
runs "what only every other policy bans runs at the end" "$work/late"

# ---- replaced by a version with another ABI ------------------------------------------------------
# The one in force is made to look like one.
age() {
	local value
	value=$(bpftool -j map dump pinned /sys/fs/bpf/debar/debar_state |
		jq -r '.[0].value | map(sub("0x"; "")) | .[0] = "63" | join(" ")')
	# shellcheck disable=SC2086 # bytes
	bpftool map update pinned /sys/fs/bpf/debar/debar_state key hex 00 00 00 00 value hex $value
}

links() {
	bpftool -j link | jq '[.[] | select(.pinned // [] | length >= 0)] | length'
}

count_links=$(links)
start_storm
failed=0
for ((i = 1; i <= upgrades; i++)); do
	age || failed=$((failed + 1))
	exits 2 "upgrade $i: reload leaves what has another ABI" "$DEBAR" reload
	"$DEBAR" load -p "$policy" >/dev/null 2>>"$work/messages" || failed=$((failed + 1))
done
calm "$upgrades upgrades" "$upgrades"
is "$failed" 0 "every upgrade was done"
sleep 1
is "$(links)" "$count_links" "and left no link of the one before"
is "$(ls -d /sys/fs/bpf/debar*)" /sys/fs/bpf/debar "and no pin"
unload
runs "banned programs run after" "$work/banned"

# ---- killed on its way from nothing: all or nothing ----------------------------------------------
half=0 whole=0 none=0
started=$(date +%s%3N)
run_controller
until_ready
takes=$(($(date +%s%3N) - started))
kill -9 $controller
wait $controller 2>/dev/null
"$DEBAR" unload >/dev/null
for ((i = 0; i < fresh_kills; i++)); do
	run_controller
	# From its first moment to somewhat after its last.
	moment=$((i * takes * 5 / 4 / fresh_kills))
	sleep "$((moment / 1000)).$(printf %03d $((moment % 1000)))"
	kill -9 $controller
	wait $controller
	if [ ! -e /sys/fs/bpf/debar ]; then
		sleep 0.5 # the kernel lets go of links some time after the process
		"$work/banned" && none=$((none + 1)) || half=$((half + 1))
	elif "$DEBAR" status >/dev/null && ! "$work/banned"; then
		whole=$((whole + 1))
	else
		half=$((half + 1))
	fi
	"$DEBAR" load -p "$policy" >/dev/null || half=$((half + 1))
	"$DEBAR" unload >/dev/null || half=$((half + 1))
done 2>/dev/null
is "$half" 0 "killed $fresh_kills times on its way from nothing: $whole stood whole, $none not at all"
done_testing
