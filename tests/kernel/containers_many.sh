#!/bin/bash
# SPDX-License-Identifier: MIT
# kernels: 6.1 7.3
# timeout: 7200
# memory: 2048
# cpus: 2
# disk: ext4
# add: /usr/bin/curl build/debs/usr/bin/podman:/usr/bin/podman build/debs/usr/bin/crun:/usr/bin/crun build/debs/usr/bin/conmon:/usr/bin/conmon
#
# Short containers, one after the other, in each of which something banned is refused in the image and
# when written, and is held: nothing of them stays, in the kernel or with the controller. DEBAR_LONG=1:
# a thousand of them.
# shellcheck source=tests/kernel/podman
. "$(dirname "$0")/podman"

[ -x "$(type -P curl)" ] || skip_all "curl is not installed here"
many=10
[ -z "${DEBAR_LONG-}" ] || many=1000

import test "$image"
controller -p "$policy"

# One podman serves all: a process of it for each step would take most of the time.
podman system service --time 0 unix:///run/podman.sock >"$work/service" 2>&1 &
at_exit "kill $!"
for ((tries = 0; tries < 300; tries++)); do
	[ ! -S /run/podman.sock ] || break
	sleep 0.2
done
ask() { # METHOD PATH [BODY]
	curl -sS --max-time 60 --unix-socket /run/podman.sock -X "$1" \
		-H 'Content-Type: application/json' "http://podman/v4.0.0/libpod/$2" ${3:+-d "$3"} 2>&1
}
# All of what is banned is refused, and then the neighbour runs.
acts='cp /opt/base /tmp/made && echo made >>/tmp/made && ! /tmp/made && ! /opt/layer && ! /opt/signed && /opt/neighbour'

# short TIMES: as many containers; in $good how many of them came to what they should.
short() {
	local i said
	good=0
	for ((i = 0; i < $1; i++)); do
		said=$(
			ask POST containers/create "{ \"name\": \"short\", \"image\": \"test\", \"netns\": { \"nsmode\": \"none\" },
				\"cgroup_parent\": \"$group\", \"command\": [\"/bin/sh\", \"-c\", \"$acts\"] }"
			ask POST containers/short/start
		)
		if [ "$(ask POST containers/short/wait)" = 0 ]; then
			good=$((good + 1))
		else
			tap_note "$i: $said"
		fi
		ask DELETE 'containers/short?force=true' >"$work/deleted"
	done
}

# inventory: what there is, a line each: what, how many, and how much it may differ by, where the kernel
# frees late, or others have some, too. The tables that forget what was used least are left out: they
# have their memory from the start. An overlay that is not freed keeps its module in use, and a file that
# is not freed its overlay.
inventory() {
	local kind map
	until [ -z "$(pidof conmon)" ]; do
		sleep 1
	done
	sleep 2
	echo 3 >/proc/sys/vm/drop_caches
	for kind in prog map link; do
		echo "$kind $(bpftool -j $kind show | jq length) 0"
	done
	for map in $(bpftool -j map show | jq -r '.[] | select(.type == "hash") | "\(.id):\(.name)"'); do
		echo "${map#*:} $(bpftool -j map dump id "${map%%:*}" | jq length) 0"
	done
	"$DEBAR" status --json | jq -r '"memory \(.memory.all) 0", "lost \(.lost) 0"'
	echo "descriptors $(find "/proc/$controller/fd" -mindepth 1 | wc -l) 3"
	echo "threads $(find "/proc/$controller/task" -mindepth 1 -maxdepth 1 | wc -l) 1"
	# Not those on the guest's own programs.
	echo "marks $(cat "/proc/$controller/fdinfo/"* | grep '^fanotify .*sdev:' |
		grep -vc " ino:[^ ]* sdev:$(printf %x "$(stat -c %d /)") ") 0"
	echo "mounts $(wc -l </proc/self/mountinfo) 0"
	echo "cgroups $(find /sys/fs/cgroup -type d | wc -l) 0"
	echo "dying-cgroups $(sed -n 's/nr_dying_descendants //p' /sys/fs/cgroup/cgroup.stat) 5"
	echo "overlays $(cat /sys/module/overlay/refcnt) 0"
	echo "KiB-of-controller $(awk '/^VmRSS/ { print $2 }' "/proc/$controller/status") 1024"
	echo "KiB-per-cpu $(awk '/^Percpu/ { print $2 }' /proc/meminfo) 512"
}

# What is there once, from the first time on, is no leak.
short 3
is $good 3 "short containers run, and what is banned in them does not"
inventory >"$work/unused"
inventory >"$work/before"
short $many
is $good $many "so do $many"
inventory >"$work/after"
while read -r what before slack _ after _; do
	is "$((after <= before + slack))" 1 "$what: $before before, $after after"
done < <(paste -d ' ' "$work/before" "$work/after")
told=$(cat /run/debar/events.json.1 /run/debar/events.json 2>/dev/null | jq -r .container.id | sort | uniq -c | grep -c '^ *3 ')
is "$told" $((many + 3)) "each of their refusals is told"
done_testing
