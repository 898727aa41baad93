#!/bin/bash
# SPDX-License-Identifier: MIT
# kernels: 6.1
# timeout: 300
# memory: 2048
# append: rdinit=/debar/tests/kernel/systemd_init
# add: build/debar.deb:/debar.deb /usr/lib/systemd /usr/bin/systemctl /usr/bin/systemd-run /usr/bin/dpkg /usr/bin/dpkg-deb /usr/bin/dpkg-split /usr/bin/dpkg-query /usr/sbin/start-stop-daemon /usr/sbin/ldconfig
#
# What a system that systemd runs goes on doing with the guard armed: services with views of the mounts
# of their own, modules on demand, an upgrade, an end of the service, another start, a shutdown.
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

stands() {
	is_denied "$1" bash -c "$banned"
}

# ---- armed, as a service -------------------------------------------------------------------------
runs "the package installs" dpkg -i --force-depends /debar.deb
mkdir -p /var/lib/debar /etc/systemd/system/debar.service.d
touch /var/lib/debar/booted-off # tests/kernel/guard.sh tries it
mv "$(ban "$banned")" /etc/debar/policy.d/test.yaml
printf '[Service]\nExecStart=\nExecStart=/usr/sbin/debar run --guard\n' >/etc/systemd/system/debar.service.d/guard.conf
systemctl daemon-reload
runs "with the guard the service starts" systemctl start debar
stands "and it is enforced"
unlike "$(build/tests/kernel/attack "$(main_pid)")" '^WORKED' "and none of root's attempts works"
stands "after which it is enforced"

# ---- services with a view of their own -----------------------------------------------------------
views='PrivateTmp=yes ProtectSystem=strict ProtectHome=yes PrivateDevices=yes ProtectKernelTunables=yes
	ProtectControlGroups=yes ProtectKernelModules=yes PrivateMounts=yes PrivateNetwork=yes'
# service NAME COMMAND OPTION...: its unit.
service() {
	{
		printf '[Service]\nExecStart=%s\n' "$2"
		printf '%s\n' "${@:3}"
	} >"/run/systemd/system/$1.service"
}
# shellcheck disable=SC2086 # words
service views "$(type -P true)" Type=oneshot $views
service hidden "$(type -P true)" Type=oneshot InaccessiblePaths=/sys/fs/bpf TemporaryFileSystem=/mnt
service dynamic "$(type -P true)" Type=oneshot DynamicUser=yes StateDirectory=mine
# shellcheck disable=SC2086 # words
service stays "$(type -P sleep) 600" $views
systemctl daemon-reload
runs "a service with views of its own runs" systemctl start views
runs "one that must not see the bpf file system" systemctl start hidden
runs "one with a user of its own" systemctl start dynamic
runs "one that stays" systemctl start stays
runs "is reloaded with its manager" systemctl daemon-reload
runs "and stopped" systemctl stop stays
is "$(systemctl show -P Result stays)" success "cleanly"
printf '[Mount]\nWhat=tmpfs\nWhere=/mnt\nType=tmpfs\n' >/run/systemd/system/mnt.mount
runs "a mount unit is started" systemctl start mnt.mount
runs "and stopped" systemctl stop mnt.mount
runs "a module is loaded on demand" ip link add d0 type dummy
runs "and taken off" bash -c "ip link del d0 && rmmod dummy"
stands "after all of it, it is enforced"

# ---- upgraded ------------------------------------------------------------------------------------
# The same build in another package is admitted; another build waits for the next boot.
before=$(main_pid)
repack() { # VERSION [COMMAND]
	dpkg-deb -R /debar.deb "$work/next"
	sed -i "s/^Version: .*/Version: $1/" "$work/next/DEBIAN/control"
	(cd "$work/next" && eval "${2-}")
	dpkg-deb -b "$work/next" "$work/next.deb" >/dev/null
	rm -r "$work/next"
}
repack 98
runs "a package with the same build installs" dpkg -i --force-depends "$work/next.deb"
wait_for "and is started" "main_pid && [ \$(main_pid) != $before ] && systemctl -q is-active debar"
stands "it is enforced"
before=$(main_pid)
repack 99 'echo >>usr/sbin/debar'
runs "a package with another build installs" dpkg -i --force-depends "$work/next.deb"
like "$errors" "the guard does not admit this version" "and says that it waits for the next boot"
is "$(main_pid)" "$before" "the controller that there was goes on"
stands "it is enforced"
exits 2 "the other build is not admitted" debar reload
runs "the package that there was can be had back" dpkg -i --force-depends /debar.deb
wait_for "and is started" "main_pid && [ \$(main_pid) != $before ] && systemctl -q is-active debar"

# ---- stopped, and started again ------------------------------------------------------------------
runs "systemctl stop" systemctl stop debar
is "$(systemctl show -P Result debar)" success "is a clean end"
stands "and leaves what is in force"
exits 2 "and guarded: no unload" debar unload
like "$errors" "the guard is armed" "for that reason"
runs "systemctl start" systemctl start debar
runs "systemctl reload" systemctl reload debar
stands "it is enforced"
exits 1 "the package is not removed" dpkg -r debar
stands "and it is enforced"

# ---- shut down -----------------------------------------------------------------------------------
# Last of all systemd runs what lies there, when every process is gone: it makes the last two checks.
mkdir -p /usr/lib/systemd/system-shutdown
cat >/usr/lib/systemd/system-shutdown/tell <<END
#!/bin/bash
failed=$tap_failed
check() { # WHAT, by the status before
	[ \$? -eq 0 ] && echo "ok \$1" || { echo "not ok \$1"; failed=1; }
}
exec >/dev/vport0p1 2>&1
took=\$((\$(cut -d. -f1 /proc/uptime) - $(cut -d. -f1 /proc/uptime)))
[ \$took -lt 60 ]
check "$((tap_run + 1)) - a shutdown waits for nothing: it took \$took seconds"
/banned 2>&1 | grep -q 'not permitted'
check "$((tap_run + 2)) - and it is enforced to its end"
echo "1..$((tap_run + 2))"
echo "@@ end tests/kernel/guard_systemd.sh \$((failed != 0)) $SECONDS"
echo 0 >/dev/vport0p2
END
chmod 755 /usr/lib/systemd/system-shutdown/tell
cp "$banned" /banned # /tmp will have gone
trap - EXIT
systemctl --no-block start reboot.target
exec sleep 300
