#!/bin/bash
# SPDX-License-Identifier: MIT
# kernels: 6.1
# timeout: 180
# At a glance: what is enforced, what is not and why, in words, in JSON and by the exit code.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

make_pair
policy=$work/policy.yaml
cat >"$policy" <<-EOF
	ban: test
	on_running: kill
	learn: true
	rules:
	  - sha256: $(sha256sum <"$work/banned" | cut -c1-64)
	  - buildid: 00112233445566778899
	  - buildid: 00112233445566778898
	  - domain: banned.example
	  - network: 198.51.100.0/24
	except:
	  - uid: 4242
	    reason: a test
	    until: $(date -u -d '+3 days' +%Y-%m-%dT%H:%M:%SZ)
	  - uid: 4243
	    reason: for long
	    until: $(date -u -d '+300 days' +%Y-%m-%dT%H:%M:%SZ)
EOF
json() { jq -r "$1" <<<"$output"; }

exits 2 "without --partial it is refused" "$DEBAR" load -p "$policy"
load "$policy" --partial
bash -c "exec 3<>/dev/udp/198.51.100.7/9" 2>/dev/null
runs "with it: enforcing, as it was asked for" "$DEBAR" status
like "$output" '^debar: enforcing$' "and says so"
like "$output" 'left out +test: 2 buildid rules, which take a controller: debar run' "what was left out: rules"
like "$output" 'left out +test: on_running: kill takes a controller' "and words"
like "$output" 'network +asked by connections' "the network programs are asked"
like "$output" '1  network acts refused' "and count"
for _ in 1 2 3; do
	try "$DEBAR" status
done
like "$output" 'network +asked by connections' "asked again and again, they are found as well"
like "$output" 'note +the exception of test for uid 4242 ends' "an exception that is about to end"
unlike "$output" '4243' "and no other"
like "$output" 'never denied +[1-9][0-9]* contents' "how much is never refused"
runs "as JSON" "$DEBAR" status --json
is "$(json '[.enforcing, .mode, .canary, .network.canary, .audit_because, .running, .lost, .kernel.lsm_bpf, .kernel.ima_policy] | tostring')" \
	'[true,"enforce","refused","asked",null,null,0,true,false]' "the same in fields"
is "$(json '.left_out | length')" 2 "what was left out"
is "$(json '[.network.counters.deny, .network.counters.address > 1, .never_denied > 5, .counters.hash > 0, (.counters | has("unclassified"))] | tostring')" \
	'[1,true,true,true,true]' "and counters"
# All that is to be known at a glance.
lacks=''
for field in enforcing reasons mode run_mode canary generation rules hooks lost notes counters.hash counters.hit \
	counters.nohash counters.unclassified counters.oversize 'bans[0].ban' 'bans[0].exec' 'bans[0].network' \
	kernel.lsm kernel.lsm_bpf kernel.ima_policy kernel.ftrace_enabled controller not_covered cgroup memory.all; do
	is_there="[path(.$field)] as [\$p] | (getpath(\$p[:-1]) | type == \"array\" or has(\$p[-1]))"
	[ "$(json "$is_there")" = true ] || lacks+=" $field"
done
is "$lacks" "" "and all the others"
is "$(json '.hooks | map(select(. == "debar_exec" or . == "debar_connect4")) | length')" 2 "hooks of both kinds"

# What the kernel does not call is not enforced, whatever is loaded.
if [ -e /proc/sys/kernel/ftrace_enabled ] && echo 0 2>/dev/null >/proc/sys/kernel/ftrace_enabled; then
	exits 1 "ftrace_enabled is 0: not enforcing" "$DEBAR" status
	like "$output" 'kernel.ftrace_enabled is 0' "and says why"
	echo 1 >/proc/sys/kernel/ftrace_enabled
else
	skip "ftrace_enabled is 0: not enforcing" "this kernel does not let it be switched off"
fi
bpftool link detach pinned /sys/fs/bpf/debar/debar_connect4 2>/dev/null || rm /sys/fs/bpf/debar/debar_connect4
exits 1 "a network program that was taken off: not enforcing" "$DEBAR" status
like "$output" 'why +the network programs are loaded, but the kernel does not call them' "and says why"
unload
load "$policy" --partial --audit
exits 0 "--audit: as it was asked for" "$DEBAR" status
like "$output" '^debar: audit only' "and says so first"
like "$output" 'only audit +--audit' "and why"
echo "$(cat /proc/cmdline) debar=audit" >"$work/cmdline"
mount --bind "$work/cmdline" /proc/cmdline
at_exit "umount /proc/cmdline"
is "$("$DEBAR" status --json | jq -r .audit_because)" 'debar=audit on the kernel command line' "or who asked for it at boot"
umount /proc/cmdline
unload
exits 1 "unloaded: not enforcing" "$DEBAR" status
like "$output" 'nothing is loaded' "and says why"
# A policy of names alone looks no address up: its programs are called all the same.
printf 'ban: names\nrules:\n  - domain: banned.example\n' >"$work/names.yaml"
load "$work/names.yaml"
for asked in once twice; do
	runs "names alone: enforcing, asked $asked" "$DEBAR" status
	like "$output" 'network +asked by connections' "names alone: its programs are called, asked $asked"
done
unload
done_testing
