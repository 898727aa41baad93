#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 180
# status tells what is true, events lose nothing, and both agree with what happened.
# kernels: 6.1 7.3
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

field() { jq -r "$1" <<<"$output"; }
deny() { "$@" >/dev/null 2>&1; }

cp /usr/bin/true "$work/banned"
printf x >>"$work/banned"
cp /usr/bin/true "$work/neighbour"
printf y >>"$work/neighbour"
policy=$(ban "$work/banned")
banned_sha=$(sha256sum <"$work/banned" | cut -c1-64)

# nothing loaded
exits 1 "status before: not enforcing" "$DEBAR" status
like "$output" 'NOT ENFORCING' "and it says so first"
like "$output" 'nothing is loaded' "and why"
runs "events before: none" "$DEBAR" events --json
is "$output" "" "and nothing is printed"

load "$policy"
runs "status while loaded: enforcing" "$DEBAR" status
like "$output" '^debar: enforcing$' "and it says so first"
like "$output" 'canary +refused' "the canary was refused"
like "$output" 'controller +none' "no controller"
like "$output" '^  test +deny +deny' "the ban and what it does"
unlike "$output" $'\033' "no colours where there is no terminal"
runs "status --json" "$DEBAR" status --json
is "$(field '[.enforcing, .loaded, .mode, .canary, .generation, .rules, .controller] | tostring')" \
	'[true,true,"enforce","refused",1,1,null]' "and its fields"
is "$(field '.bans | tostring')" '[{"ban":"test","exec":"deny","network":"deny","next":null}]' \
	"the ban as the kernel has it"
is "$(field '.kernel.lsm_bpf')" true "bpf among the security modules"
is "$(field '.hooks | length > 4')" true "hooks are named"

# events without a controller
runs "the neighbour runs" "$work/neighbour"
is_denied "the banned one does not" bash -c "$work/banned"
runs "events" "$DEBAR" events --json
is "$(wc -l <<<"$output")" 1 "one act, one line"
is "$(field '[.event.action, .event.outcome, .event.type[0], .file.path, .file.hash.sha256,
	.rule.ruleset, .debar.matched.kind, .debar.generation, .debar.count, .user.id] | tostring')" \
	"[\"exec\",\"failure\",\"denied\",\"$work/banned\",\"$banned_sha\",\"test\",\"sha256\",1,1,\"0\"]" \
	"and it says what happened"
is "$(field '.rule.id')" "test/$(basename "$policy"):3" "by the line of the policy"
is "$(field '.debar.matched.value')" "$banned_sha" "with the key that matched"
like "$(field '."@timestamp"')" "^$(date -u +%Y-%m-%d)T" "at a time of this day"
runs "events are kept" "$DEBAR" events
is "$(wc -l <<<"$output")" 1 "and told again, once"
like "$output" "denied +exec +$work/banned +rule test/.*:3 .*by bash\[[0-9]+\] uid 0" "for people"

# folding
for _ in $(seq 12); do deny "$work/banned"; done
runs "events of twelve more" "$DEBAR" events --json
is "$(jq -s 'map(.debar.count) | add' <<<"$output")" 13 "every act is counted"
is "$(wc -l <<<"$output")" 3 "in two more lines"
like "$("$DEBAR" events | tail -n 1)" '  x11$' "the last of them says how many"

# a comment of a path cannot write to a terminal
evil=$work/$'evil\033[2J\nname'
cp "$work/banned" "$evil"
deny "$evil"
runs "events of a hostile name" "$DEBAR" events
like "$(tail -n 1 <<<"$output")" 'evil\\x1b\[2J\\x0aname' "are one line without control characters"

# following, without and with a controller
"$DEBAR" events --follow --json >"$work/followed" 2>"$work/follow.errors" &
follower=$!
at_exit "kill $follower"
sleep 1
before=$(wc -l <"$work/followed")
deny "$work/banned"
sleep 1
is $(($(wc -l <"$work/followed") - before)) 1 "a follower sees an act at once"
# One that is slow to let go of the events is waited for.
kill -STOP $follower
(sleep 2; kill -CONT $follower) &
controller -p "$policy"
runs "status with a controller" "$DEBAR" status --json
is "$(field .controller)" "$controller" "names it"
before=$(wc -l <"$work/followed")
sleep 1.1
deny "$work/banned"
sleep 1.5
is $(($(wc -l <"$work/followed") - before)) 1 "a follower goes on when a controller reads the ring"
like "$(tail -n 1 "$work/events")" "denied +exec +$work/banned" "the controller tells it, too"
stop_controller
before=$(wc -l <"$work/followed")
sleep 1.1
deny "$work/banned"
sleep 1.5
is $(($(wc -l <"$work/followed") - before)) 1 "and when it has gone"
kill -TERM $follower
wait $follower
is $? 0 "a follower ends cleanly"
is "$(cat "$work/follow.errors")" "" "without a complaint"
runs "all of it is in the history" "$DEBAR" events --json
is "$(jq -s 'map(.debar.count) | add' <<<"$output")" "$(jq -s 'map(.debar.count) | add' "$work/followed")" \
	"and the follower saw every act"

# a closed end
"$DEBAR" events >/dev/full 2>"$work/.errors"
is $? 2 "events into a full disk is an error"
like "$(cat "$work/.errors")" 'cannot write to stdout' "that says so"

# audit
runs "load in audit" "$DEBAR" load -p "$policy" --audit
runs "the banned one runs in audit" "$work/banned"
runs "status in audit" "$DEBAR" status
like "$output" '^debar: audit only' "says so"
runs "events in audit" "$DEBAR" events --json
is "$(tail -n 1 <<<"$output" | jq -r '[.event.outcome, .event.type[0], .debar.mode, .debar.generation > 1] | tostring')" \
	'["success","allowed","audit",true]' "an audited act"

# containers, by the names of cgroups
id=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
mkdir -p "/sys/fs/cgroup/system.slice/docker-$id.scope/app"
at_exit "rmdir /sys/fs/cgroup/system.slice/docker-$id.scope/app /sys/fs/cgroup/system.slice/docker-$id.scope"
bash -c "echo \$\$ >/sys/fs/cgroup/system.slice/docker-$id.scope/app/cgroup.procs; exec $work/banned"
runs "events of a container" "$DEBAR" events --json
is "$(tail -n 1 <<<"$output" | jq -r .container.id)" $id "carry its id"
like "$("$DEBAR" events | tail -n 1)" 'container 0123456789ab' "shortened for people"

unload
exits 1 "status after: not enforcing" "$DEBAR" status
runs "events after" "$DEBAR" events
like "$output" "denied" "are still there"
done_testing
