#!/bin/bash
# SPDX-License-Identifier: MIT
# kernels: 7.3
# timeout: 400
# memory: 2048
# append: rdinit=/debar/tests/kernel/systemd_init
# add: build/debar.deb:/debar.deb /usr/lib/systemd /usr/bin/systemctl /usr/bin/dpkg /usr/bin/dpkg-deb /usr/bin/dpkg-split /usr/bin/dpkg-query /usr/sbin/start-stop-daemon /usr/sbin/ldconfig
#
# The package and the unit on a system that systemd runs: installed, started, killed, hung, upgraded,
# stopped, removed, and what is enforced at each point.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

[ "$(cat /proc/1/comm)" = systemd ] || skip_all "systemd is not installed here"
[ -e /debar.deb ] || skip_all "no package was built: make deb, where there is dpkg-dev"
storm=build/tests/kernel/storm_static
cp $storm "$work/allowed"
cp $storm "$work/banned" && echo 1 >>"$work/banned"
banned=$work/banned
chmod 755 "$work"

main_pid() {
	systemctl show -P MainPID debar | grep -v '^0$'
}

# wait_for WHAT COMMAND: within half a minute.
wait_for() {
	local tries=0
	until eval "$2" >/dev/null 2>&1 || [ $((++tries)) -gt 150 ]; do
		sleep 0.2
	done
	runs "$1" bash -c "$(declare -f main_pid); $2"
}

# ---- installed -----------------------------------------------------------------------------------
runs "the package installs" dpkg -i --force-depends /debar.deb
is "$(systemctl is-enabled debar)" disabled "and enables nothing"
is "$(systemctl is-active debar)" inactive "nor starts anything"
runs "nor loads anything" test ! -e /sys/fs/bpf/debar
is "$(ls -A /etc/debar/policy.d)" "" "nor puts a policy in force"
runs "its bans are there" debar policy check kaspersky
exits 1 "started without a policy, it fails" systemctl start debar
runs "and loads nothing" test ! -e /sys/fs/bpf/debar

# ---- started -------------------------------------------------------------------------------------
mv "$(ban "$banned")" /etc/debar/policy.d/test.yaml
systemctl reset-failed debar
runs "with a policy it starts" systemctl start debar
is_denied "and when systemctl is done, it is enforced" bash -c "$banned"
like "$(systemctl show -P StatusText debar)" "1 ban, 1 rule, generation 1, enforcing" "its status says what is in force"
order=$(systemctl show -P Before debar)
like "$order" "network-pre.target" "it comes before the network"
like "$order" "sysinit.target" "and before everything with default dependencies"
runs "debar status agrees" debar status
runs "systemctl reload reads the policy again" systemctl reload debar
like "$(systemctl show -P StatusText debar)" "generation 2" "and its status says so"
cp /etc/debar/policy.d/test.yaml "$work/good"
echo 'ban: [' >/etc/debar/policy.d/test.yaml
exits 1 "a policy that is wrong: systemctl reload fails" systemctl reload debar
is "$(systemctl is-active debar)" active "and the service goes on"
is_denied "with what was in force" bash -c "$banned"
cp "$work/good" /etc/debar/policy.d/test.yaml

# ---- killed and hung -----------------------------------------------------------------------------
before=$(main_pid)
kill -9 "${before:-none}"
is_denied "killed: it is enforced" bash -c "$banned"
wait_for "and started again" "main_pid && [ \$(main_pid) != $before ] && systemctl -q is-active debar"
is_denied "and enforced" bash -c "$banned"
mkdir -p /run/systemd/system/debar.service.d
printf '[Service]\nWatchdogSec=3\n' >/run/systemd/system/debar.service.d/test.conf
systemctl daemon-reload
runs "restarted by hand" systemctl restart debar
before=$(main_pid)
sleep 5
is "$(main_pid)" "$before" "it gives its sign of life"
kill -STOP "${before:-none}"
wait_for "hung, it is ended and started again" "main_pid && [ \$(main_pid) != $before ] && systemctl -q is-active debar"
is_denied "and enforced" bash -c "$banned"

# ---- upgraded ------------------------------------------------------------------------------------
dpkg-deb -R /debar.deb "$work/next"
sed -i 's/^Version: .*/Version: 99/' "$work/next/DEBIAN/control"
dpkg-deb -b "$work/next" "$work/next.deb" >/dev/null
before=$(main_pid)
$storm "$banned" -- "$work/allowed" >"$work/tally" &
storming=$!
at_exit "kill $storming"
runs "the next version installs" dpkg -i --force-depends "$work/next.deb"
kill $storming
wait $storming
tap_note "$(cat "$work/tally")"
like "$(cat "$work/tally")" '^banned 0 ran [1-9][0-9]* refused 0 other, mapped 0 ran' "without a moment for what is banned"
like "$(cat "$work/tally")" 'allowed [1-9][0-9]* ran 0 refused 0 other$' "or a refusal of what is not"
wait_for "another controller took over" "main_pid && [ \$(main_pid) != $before ] && systemctl -q is-active debar"

# ---- stopped, removed, purged --------------------------------------------------------------------
runs "systemctl stop" systemctl stop debar
is "$(systemctl show -P Result debar)" success "is a clean end"
is_denied "and leaves what is in force" bash -c "$banned"
runs "debar status still knows all" debar status
runs "it starts again" systemctl start debar
runs "the package can be removed" dpkg -r debar
runs "which takes everything off" test ! -e /sys/fs/bpf/debar
runs "so that it runs" "$banned"
is "$(systemctl is-active debar)" inactive "no service is left"
runs "the policy is kept" test -e /etc/debar/policy.d/test.yaml
runs "until it is purged" dpkg -P debar
is "$(find / -xdev -path /debar -prune -o -path "$work" -prune -o -path /usr/lib/debug -prune -o -name 'debar*' -print \
	! -path '/proc/*' ! -path '/sys/*' 2>/dev/null | grep -v '^/debar.deb$')" "" "which leaves no file"
done_testing
