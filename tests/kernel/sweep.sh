#!/bin/bash
# SPDX-License-Identifier: MIT
# kernels: 6.1
# timeout: 240
# What runs already when a ban arrives, or is recognised late: told, and ended where the ban says so;
# nothing else is, and never what the machine cannot do without.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

stay=build/tests/kernel/stay
cp $stay "$work/banned" && printf b >>"$work/banned"
cp $stay "$work/neighbour" && printf n >>"$work/neighbour"
cp /usr/bin/true "$work/banned.so" && printf l >>"$work/banned.so"
sha() { sha256sum <"$1" | cut -c1-64; }

# policy [LINE]...: bans both, with these lines besides; in $policy.
policy=$work/policy.yaml
put() {
	{
		printf 'ban: test\n'
		[ $# -eq 0 ] || printf '%s\n' "$@"
		printf 'rules:\n  - sha256: %s\n  - sha256: %s\n' "$(sha "$work/banned")" "$(sha "$work/banned.so")"
	} >"$policy.new"
	mv "$policy.new" "$policy"
}

# start NAME COMMAND [ARG]...: in the background, until it is ready; its pid in ${pids[NAME]}.
declare -A pids=()
start() {
	local name=$1 tries=0
	shift
	"$@" >"$work/out.$name" 2>&1 &
	pids[$name]=$!
	at_exit "kill -9 $!"
	until grep -q ready "$work/out.$name" || [ $((++tries)) -gt 100 ]; do
		sleep 0.1
	done
	grep -q ready "$work/out.$name" || not_ok "$name runs" "$(cat "$work/out.$name")"
}

start_all() {
	start banned "$work/banned"
	start neighbour "$work/neighbour"
	cp "$work/banned" "$work/gone"
	start deleted "$work/gone"
	rm "$work/gone"
	start memory $stay memfd "$work/banned"
	start library "$work/neighbour" map "$work/banned.so"
	scratch overlay
	cp "$work/banned" "$scratch/layered"
	start layered "$scratch/layered"
	mkdir -p "$group"
	start container bash -c "echo \$\$ >$group/cgroup.procs; exec unshare --mount --pid --fork --kill-child $work/banned"
}
id=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
group=/sys/fs/cgroup/docker-$id.scope
at_exit "rmdir $group"

not() {
	local what=$1
	shift
	if "$@"; then not_ok "$what"; else ok "$what"; fi
}

lives() { kill -0 "${pids[$1]}" 2>/dev/null && [ "$(cut -d' ' -f3 "/proc/${pids[$1]}/stat")" != Z ]; }

# told ACTION [JQ]: how many such events there are; tells them all first.
told() {
	"$DEBAR" events --json | jq -rs --arg a "$1" '[.[] | select(.event.action == $a and ('"${2:-true}"'))] | length'
}

# until_swept: the sweep of the generation in force is over.
until_swept() {
	local tries=0 generation
	generation=$("$DEBAR" status --json | jq .generation)
	until [ "$(jq .generation /run/debar/sweep.json 2>/dev/null)" = "$generation" ] || [ $((++tries)) -gt 300 ]; do
		sleep 0.2
	done
	is "$(jq .generation /run/debar/sweep.json)" "$generation" "${1-it is looked through}"
	sleep 0.7 # what it found is passed on
	tap_note "$(cat /run/debar/sweep.json)"
}

# ---- told ----------------------------------------------------------------------------------------
put
start_all
controller -p "$policy"
until_swept "what runs is looked through when the controller starts"
found='.process.pid == %s and .event.outcome == "unknown" and .event.kind == "event" and .rule.ruleset == "test"'
for name in banned deleted memory library layered; do
	# shellcheck disable=SC2059 # a format of our own
	is "$(told running "$(printf "$found" "${pids[$name]}")")" 1 "$name: told once"
	runs "$name: goes on" lives $name
done
is "$(told running ".process.pid == ${pids[neighbour]}")" 0 "the neighbour is not told"
is "$(told running ".container.id == \"$id\" and .file.path == \"$work/banned\"")" 1 "in a container: told with its id"
is "$(told running ".process.pid == ${pids[library]} and .file.path == \"$work/banned.so\" and .process.name == \"neighbour\"")" 1 "the library: told by its own path"
is "$(told running ".process.pid == ${pids[banned]} and .file.hash.sha256 == \"$(sha "$work/banned")\" and .process.executable == \"$work/banned\"")" 1 "the program: with digest and executable"
is "$(told kill)" 0 "nothing is ended"
all=$(told running)
runs "reload" "$DEBAR" reload
until_swept "what runs is looked through at a reload"
is "$(told running)" $((all * 2)) "and told again"
like "$("$DEBAR" events | tail -n 3)" 'noted +running +.*rule test/' "for people too"

# ---- ended ---------------------------------------------------------------------------------------
put 'on_running: kill'
library=$(ldd "$(type -P ip)" | awk '/libcap/ { print $3 }')
cp "$library" "$work/preloaded.so" && printf l >>"$work/preloaded.so"
mkfifo "$work/fifo"
start shell env LD_PRELOAD="$work/preloaded.so" bash -c "echo ready; read -r _ <>$work/fifo"
printf '  - sha256: %s\n' "$(sha "$work/preloaded.so")" >>"$policy"
runs "now they are to be ended" "$DEBAR" reload
until_swept
for name in banned deleted memory library layered; do
	tries=0
	while lives $name && [ $((++tries)) -lt 50 ]; do sleep 0.1; done
	not "$name: ended" lives $name
	is "$(told kill ".process.pid == ${pids[$name]} and .event.outcome == \"failure\" and .rule.ruleset == \"test\"")" 1 "$name: and that is told"
done
is "$(told kill ".container.id == \"$id\"")" 1 "in a container: ended and told"
runs "the neighbour goes on" lives neighbour
runs "bash goes on, for it is what one needs" lives shell
is "$(told running ".process.pid == ${pids[shell]} and .file.path == \"$work/preloaded.so\"")" 1 "what it has mapped is told"
is "$(told kill)" 6 "and nothing else was ended"
like "$(cat "$work/messages")" '1 process.* not ended: the machine, or debar, cannot do without' "it is said why not"

# ---- not too many --------------------------------------------------------------------------------
stop_controller
unload
exits 2 "debar load refuses on_running: kill" "$DEBAR" load -p "$policy"
like "$errors" 'on_running: kill takes a controller: debar run' "and says who does it"
rm -f /run/debar/kills
for i in {1..25}; do start "crowd$i" "$work/banned"; done
start excepted setpriv --reuid 4242 --regid 4242 --clear-groups "$work/banned"
start elsewhere bash -c "mkdir -p /sys/fs/cgroup/spared/below; echo \$\$ >/sys/fs/cgroup/spared/below/cgroup.procs; exec $work/banned"
at_exit 'rmdir /sys/fs/cgroup/spared/below /sys/fs/cgroup/spared'
except=('except:' '  - {uid: 4242, reason: a test}' '  - {cgroup: /spared, reason: a test}')
put 'on_running: kill' "${except[@]}"
controller -p "$policy"
until_swept
left=0
for i in {1..25}; do ! lives "crowd$i" || left=$((left + 1)); done
is $left 5 "of 25 at once, 20 are ended and five are left"
like "$(cat "$work/messages")" '5 banned processes were not ended: 20 were in this minute' "which is said aloud"
is "$(jq -c '[.found, .killed, .over]' /run/debar/sweep.json)" '[25,20,5]' "and kept"
runs "the excepted user's goes on" lives excepted
runs "and the excepted cgroup's" lives elsewhere
is "$(told running ".process.pid == ${pids[excepted]} or .process.pid == ${pids[elsewhere]}")" 0 "they are not even told"
stop_controller

# ---- a phase that begins, and a controller that is another one -----------------------------------
soon=$(($(date +%s) + 18))
put 'on_running: kill' 'phases:' '  - {from: 2020-01-01T00:00:00Z, exec: audit, network: audit}' \
	"  - {from: $(date -u -d @$soon +%Y-%m-%dT%H:%M:%SZ), exec: deny, network: deny}" "${except[@]}"
printf 'ban: none\nrules:\n  - sha256: %064d\n' 1 >"$work/none.yaml"
cp "$(type -P nl)" "$work/late"
sed -i "s/^rules:/&\n  - buildid: $("$DEBAR" check --json -p "$work/none.yaml" "$work/late" | jq -r .buildid)/" "$policy"
rm -f /run/debar/kills
controller -p "$policy"
until_swept "before its phase it is looked through"
left() {
	local i left=0
	for i in {1..25}; do ! lives "crowd$i" || left=$((left + 1)); done
	echo $left
}
now=$(date +%s) left=$(left)
if [ "$now" -lt $soon ]; then
	is "$left" 5 "and nobody is ended"
else
	skip "and nobody is ended" "this machine is too slow to see it"
fi
tries=0
while [ "$(left)" -gt 0 ] && [ $((++tries)) -lt 150 ]; do sleep 0.5; done
is "$(left)" 0 "when the phase begins they are ended, with nobody's doing"
runs "not before" test "$(date +%s)" -ge $soon
start late $stay mprotect "$work/late"
tries=0
while [ "$(told running ".process.pid == ${pids[late]} and .debar.matched.kind == \"buildid\"")" = 0 ] && [ $((++tries)) -lt 60 ]; do sleep 0.5; done
is "$(told running ".process.pid == ${pids[late]} and .debar.matched.kind == \"buildid\" and .file.path == \"$work/late\"")" 1 \
	"what is recognised when it is mapped already is told"
tries=0
while lives late && [ $((++tries)) -lt 50 ]; do sleep 0.1; done
not "and ended" lives late
stop_controller
unload
done_testing
