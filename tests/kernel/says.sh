#!/bin/bash
# SPDX-License-Identifier: MIT
# What a policy says is what happens: audit, exceptions, phases, overrides; and it is told.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

cp /usr/bin/true "$work/banned" && printf b >>"$work/banned"
cp /usr/bin/true "$work/spared" && printf s >>"$work/spared"
chmod 755 "$work" # mktemp's is for its owner alone
digest=$(sha256sum <"$work/banned" | cut -c1-64)
spared=$(sha256sum <"$work/spared" | cut -c1-64)
policy=$work/p.yaml

# last_event FILE: what the last one about its being run says
last_event() {
	"$DEBAR" events --json | jq -rs --arg f "$1" \
		'sort_by(."@timestamp")[] | select(.file.path == $f and .event.action == "exec") |
		"\(.event.action) \(.event.outcome) \(.rule.ruleset) \(.file.hash.sha256)"' | tail -n 1
}

try "$DEBAR" unload
exits 2 "unload says that there is nothing" "$DEBAR" unload
like "$errors" 'nothing is loaded' "in words"

# Audit from the command line, then enforced by loading again.
load "$(ban "$work/banned")" --audit
runs "with --audit the banned one runs" "$work/banned"
is "$(last_event "$work/banned")" "exec success test $digest" "and it is told"
load "$(ban "$work/banned")"
is_denied "loaded again without it, it is refused" "$work/banned"
is "$(last_event "$work/banned")" "exec failure test $digest" "and that is told"
like "$("$DEBAR" events | tail -n 1)" "denied +exec +$work/banned .*test/" "for a person too"

# Exceptions: by content, by user, by cgroup; and one that has ended.
group=/sys/fs/cgroup/debar-spared
mkdir -p $group/below
at_exit "rmdir $group/below $group"
cat >"$policy" <<-EOF
	ban: test
	rules:
	  - sha256: $digest
	  - sha256: $spared
	except:
	  - sha256: $spared
	    reason: known good
	  - uid: 4242
	    reason: an analyst
	  - cgroup: /debar-spared
	    reason: forensics
	  - uid: 4243
	    reason: was an analyst
	    until: 2020-01-01T00:00:00Z
EOF
load "$policy" --force
is_denied "exceptions: what has none is refused" "$work/banned"
runs "exceptions: by digest" "$work/spared"
runs "exceptions: by user" setpriv --reuid 4242 --clear-groups "$work/banned"
is_denied "exceptions: another user has none" setpriv --reuid 4241 --clear-groups "$work/banned"
is_denied "exceptions: one that has ended is none" setpriv --reuid 4243 --clear-groups "$work/banned"
runs "exceptions: by cgroup, below it too" \
	bash -c "echo \$\$ >$group/below/cgroup.procs; exec $work/banned"
is_denied "exceptions: outside of it again" "$work/banned"

load "$(ban "$work/spared")" --force
is "$("$DEBAR" events --json | jq -r 'select(.rule.ruleset == null).file.path')" '' \
	"what was refused by policies that are gone still names its rule"

# A phase that begins while the policy is loaded, and after the file was looked at.
begins=$(($(date +%s) + 10))
cat >"$policy" <<-EOF
	ban: test
	phases:
	  - from: $(date -u -d @$((begins - 4000)) +%Y-%m-%dT%H:%M:%SZ)
	    exec: off
	    network: off
	  - from: $(date -u -d @$begins +%Y-%m-%dT%H:%M:%SZ)
	    exec: deny
	    network: deny
	rules:
	  - sha256: $digest
EOF
load "$policy" --force
if [ "$(date +%s)" -lt $((begins - 1)) ]; then
	runs "phases: before it begins, it runs" "$work/banned"
	runs "phases: and again" "$work/banned"
else
	skip "phases: before it begins, it runs" "this machine is too slow for it"
fi
while [ "$(date +%s)" -le $begins ]; do
	sleep 0.2
done
is_denied "phases: once it has begun, it is refused" "$work/banned"

# A rule's own word against its ban's phase, and two bans: the stricter decides.
cat >"$policy" <<-EOF
	ban: test
	rules:
	  - sha256: $digest
	    exec: audit
	  - sha256: $spared
EOF
load "$policy" --force
runs "a rule that says audit lets run" "$work/banned"
is "$(last_event "$work/banned")" "exec success test $digest" "and is told"
is_denied "its neighbour says nothing, and is refused" "$work/spared"
cat >"$work/q.yaml" <<-EOF
	ban: second
	rules:
	  - sha256: $digest
EOF
load "$policy" -p "$work/q.yaml" --force
is_denied "of two bans the stricter decides" "$work/banned"
is "$(last_event "$work/banned")" "exec failure second $digest" "and is named"

# Another ban asks for keys that nobody finds out: what a rule audits by its digest is told all the same.
cp /usr/bin/true "$work/audited" && printf a >>"$work/audited"
audited=$(sha256sum <"$work/audited" | cut -c1-64)
printf 'ban: test\nrules:\n  - {sha256: %s, exec: audit}\n' "$audited" >"$policy"
printf 'ban: second\nrules:\n  - buildid: %040d\n' 1 >"$work/q.yaml"
load "$policy" -p "$work/q.yaml" --force --partial
runs "an audited digest runs where other keys are not known" "$work/audited"
is "$(last_event "$work/audited")" "exec success test $audited" "and is told by its rule"

# Where files in memory are not to be run, the canary is one that may be.
if [ -e /proc/sys/vm/memfd_noexec ]; then
	unshare -pf bash -c "echo 1 >/proc/sys/vm/memfd_noexec && $DEBAR load -p $policy --force --partial" \
		2>"$work/said"
	is "$?" 0 "vm.memfd_noexec=1 is no hindrance: $(<"$work/said")"
fi

# --for: refused for a time, then only told.
load "$(ban "$work/banned")" --for 6s --force
is_denied "--for: refused within the time" "$work/banned"
sleep 6.5
runs "--for: not after it" "$work/banned"

# --cgroup: only there.
load "$(ban "$work/banned")" --cgroup $group --force
runs "--cgroup: not outside" "$work/banned"
is_denied "--cgroup: inside, below it" bash -c "echo \$\$ >$group/below/cgroup.procs; exec $work/banned"
unload
runs "works after" "$work/banned"
done_testing
