#!/bin/bash
# SPDX-License-Identifier: MIT
# kernels: 5.10 7.3
# timeout: 300
# Gate mode: fanotify alone, with the same policies and the same events as kernel mode.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

counter() {
	"$DEBAR" status --json | jq ".counters.$1"
}

# Counters are written down twice a second, events told at once.
settle() {
	sleep 0.8
}

# put RULE...: the policy is these rules from now on, whether anybody was told or not.
put() {
	{
		printf 'ban: test\n'
		printf '%s\n' "${phases[@]}" rules:
		printf '  - %s\n' "$@"
		printf '%s\n' "${excepts[@]}"
	} >"$work/policy.new"
	mv "$work/policy.new" "$work/policy.yaml"
}
phases=() excepts=()

sha256() {
	echo "sha256: $(sha256sum <"$1" | cut -c1-64)"
}

make_pair
banned=$(sha256 "$work/banned") neighbour=$(sha256 "$work/neighbour")
cp "$work/banned" "$work/script"
printf '#!/usr/bin/bash\nexit 0\n' >"$work/script"
chmod 755 "$work/script"
mkdir "$work/place"
cp "$work/neighbour" "$work/place/program"
cp "$(type -P nl)" "$work/built"
buildid=$("$DEBAR" check --json -p "$(ban "$work/banned")" "$work/built" | jq -r .buildid)
module=$(modprobe -S "$(uname -r)" --show-depends dummy | sed -n 's/^insmod //p' | tr -d ' ')
case $module in
*.xz) xz -dc <"$module" >"$work/signed.ko" ;;
*) cp "$module" "$work/signed.ko" ;;
esac
head -c 10000 "$work/signed.ko" >"$work/unsigned.ko"
serial=$("$DEBAR" check --json -p "$(ban "$work/banned")" "$work/signed.ko" | jq -r '.signers[0].serial')
put "$banned" "$(sha256 "$work/script")" "path: $work/place/" "buildid: $buildid" "certificate: { serial: $serial }"
names="banned script place/program"
for name in $names; do
	runs "$name: works before" "$work/$name"
done
exits 2 "--guard and --mode gate do not go together" "$DEBAR" run --guard --mode gate -p "$work/policy.yaml"
like "$errors" 'guard needs kernel mode' "and it says why"
if "$DEBAR" load -p "$(ban "$work/banned")" 2>/dev/null; then
	exits 2 "not while kernel mode is in force" "$DEBAR" run --mode gate -p "$work/policy.yaml"
	like "$errors" 'debar unload' "and it says what takes that off"
	unload
fi

# ---- three ways -------------------------------------------------------------------------------

controller --mode gate -p "$work/policy.yaml"
like "$(cat "$work/messages")" 'not covered: ' "what is not covered is said at the start"
for name in $names; do
	is_denied "$name: refused" "$work/$name"
done
is_denied "a build-id: refused" "$work/built" /dev/null
is_denied "a signer: refused, whoever opens the module" cat "$work/signed.ko"
runs "one without is not" cat "$work/unsigned.ko"
is_denied "a copy, which nobody may even make: refused" cp "$work/banned" "$work/copy"
is_denied "by the loader: refused" /lib64/ld-linux-x86-64.so.2 "$work/banned"
runs "its neighbour runs" "$work/neighbour"
runs "by the loader, too" /lib64/ld-linux-x86-64.so.2 "$work/neighbour"
runs "a banned script can be read" cat "$work/script"
is_denied "and is refused all the same" "$work/script"
settle
runs "status: it enforces" "$DEBAR" status
like "$output" 'gate mode' "in gate mode"
is "$("$DEBAR" status --json | jq -r '.run_mode, .canary, (.not_covered | length > 3)' | paste -sd ' ')" \
	"gate refused true" "which stands in a field, with what is not covered"
event=$("$DEBAR" events --json | jq -c "select(.file.path == \"$work/banned\" and .event.action == \"exec\")" | head -n 1)
is "$(jq -r '[.event.action, .event.outcome, .event.kind, .process.name != null, .process.pid > 0,
	.user.id, .rule.ruleset, .debar.hook, .debar.matched.kind, .debar.mode] | map(tostring) | join(" ")' <<<"$event")" \
	"exec failure alert true true 0 test fanotify_open_exec sha256 enforce" "an event has what it has in kernel mode"
is "$(jq -r '.file.path, .file.hash.sha256' <<<"$event" | paste -sd ' ')" \
	"$work/banned ${banned#* }" "and names the file"

# ---- who is asked -----------------------------------------------------------------------------

"$work/neighbour"
"$DEBAR" status --json >/dev/null
before=$(counter asked)
settle
alone=$(counter asked)
for _ in {1..30}; do
	"$work/neighbour"
done
settle
after=$(counter asked)
is "$((after - alone - (alone - before) <= 3))" 1 "30 more execs ask nothing ($before, $alone, $after)"
cp "$work/neighbour" "$work/x"
runs "a new file runs" "$work/x"
printf b | dd of="$work/x" bs=1 seek="$(($(stat -c %s "$work/x") - 1))" conv=notrunc 2>/dev/null
is_denied "one byte written makes it the banned one: refused" "$work/x"
mkdir "$work/later"
at_exit "umount -l $work/later"
mount -t tmpfs t "$work/later"
settle
cp "$work/neighbour" "$work/later/x"
printf b | dd of="$work/later/x" bs=1 seek="$(($(stat -c %s "$work/x") - 1))" conv=notrunc 2>/dev/null
is_denied "on a file system mounted since: refused" "$work/later/x"

# ---- another policy ---------------------------------------------------------------------------

put "$neighbour"
runs "reload" "$DEBAR" reload --force
is_denied "what was clean before is refused" "$work/neighbour"
runs "what was banned runs" "$work/banned"
printf 'rules: nonsense\n' >"$work/policy.yaml"
exits 2 "a broken policy is refused" "$DEBAR" reload
is_denied "and the one before stays" "$work/neighbour"
excepts=(except: '  - uid: 1000' '    reason: test')
put "$banned"
runs "with an exception for a user" "$DEBAR" reload --force
is_denied "root: refused" "$work/banned"
runs "that user: runs" setpriv --reuid 1000 --clear-groups "$work/banned"
excepts=()
begins=$(($(date +%s) + 30)) # a slow guest needs half of that to get there
phases=(phases: "  - { from: 2024-01-01T00:00:00Z, exec: audit, network: off }"
	"  - { from: $(date -u -d "@$begins" +%FT%TZ), exec: deny, network: off }")
put "$banned"
runs "with a phase of watching, and one that begins soon" "$DEBAR" reload --force
before=$(counter audit)
runs "it runs" "$work/banned"
settle
is "$(($(counter audit) - before))" 1 "and that is told, once"
while [ "$(date +%s)" -le "$begins" ]; do
	sleep 0.5
done
is_denied "refused, once that phase has begun" "$work/banned"
phases=()
stop_controller
runs "works after" "$work/banned"
exits 1 "status: nothing is enforced without the controller" "$DEBAR" status
like "$output" 'it is gone' "and says so"

# ---- in nobody's way --------------------------------------------------------------------------

put "$banned"
controller --mode gate -p "$work/policy.yaml"
cp "$work/neighbour" "$work/crowd"
for _ in {1..500}; do
	"$work/crowd" &
	crowd+=($!)
done
failed=0
for pid in "${crowd[@]}"; do
	wait "$pid" || failed=$((failed + 1))
done
is $failed 0 "500 execs at once of a file that nobody has seen: all run"
is_denied "and the banned one is refused" "$work/banned"
mount -o "remount,size=$(df -k /run | awk 'END { print $3 }')k" /run
at_exit "mount -o remount,size=50% /run"
cp "$work/neighbour" "$work/full"
is_denied "nowhere to write events: the banned one is refused" "$work/banned"
runs "and a new one runs" "$work/full"
mount -o remount,size=50% /run
exec 9<>"$work/crowd"
try "$work/crowd"
is "$((status != 0))" 1 "what somebody may write to is not run"
exec 9>&-
runs "after that it is" "$work/crowd"
cp "$work/neighbour" "$work/fresh"
kill -STOP "$controller"
start=$SECONDS
runs "the controller is stopped: a file it has not seen runs, in the end" "$work/fresh"
is "$((SECONDS - start <= 8))" 1 "within a bound ($((SECONDS - start)) s)"
wait "$controller" 2>/dev/null
exits 1 "and status knows that it is gone" "$DEBAR" status
mkdir /sys/fs/cgroup/gate
at_exit "rmdir /sys/fs/cgroup/gate"
controller --mode gate -p "$work/policy.yaml" --cgroup /sys/fs/cgroup/gate
runs "limited to a cgroup: elsewhere it runs" "$work/banned"
is_denied "and in there it is refused" bash -c "echo 0 >/sys/fs/cgroup/gate/cgroup.procs; exec $work/banned"
stop_controller
unload
controller --mode gate -p "$work/policy.yaml" --audit
runs "audit: it runs" "$work/banned"
settle
"$DEBAR" events --json >"$work/events.json"
is "$(tail -n 1 "$work/events.json" | jq -r '[.event.outcome, .debar.mode] | join(" ")')" "success audit" "and is told"
stop_controller
done_testing
