#!/bin/bash
# SPDX-License-Identifier: MIT
# kernels: 6.1 7.3
# timeout: 300
# memory: 2048
# cpus: 2
# disk: ext4
# add: build/debs/usr/bin/podman:/usr/bin/podman build/debs/usr/bin/crun:/usr/bin/crun build/debs/usr/sbin/runc:/usr/sbin/runc build/debs/usr/bin/conmon:/usr/bin/conmon
#
# Podman's containers: what is banned is refused in an image's layer, in a volume and when it was written
# in the container, and told as of that container; neighbours in it and beside it go on.
# shellcheck source=tests/kernel/podman
. "$(dirname "$0")/podman"

# ---- an image ------------------------------------------------------------------------------------
base=build/tests/kernel/storm_static # without arguments it does nothing
image=$work/image
mkdir -p "$image"/{bin,opt,tmp,volume}
cp /usr/bin/busybox "$image/bin/"
for name in sh cat chmod cp sleep rm; do
	ln -s busybox "$image/bin/$name"
done
for name in layer placed neighbour; do
	cp $base "$image/opt/$name" && echo "$name" >>"$image/opt/$name"
done
cp $base "$image/opt/base"
sign $base "$image/opt/signed" Somebody
cp $base "$image/volume/volume" && echo volume >>"$image/volume/volume"
cp $base "$work/made" && echo made >>"$work/made"
chmod -R a+rX "$image"
import test "$image"

policy=$(ban "$image/opt/layer" "$image/volume/volume" "$work/made")
printf '%s\n' '  - certificate: { subject: { CN: Somebody } }' '  - path: /opt/placed' >>"$policy"

# What each of a container's programs came to.
programs='/opt/layer /volume/volume /tmp/made /opt/signed /opt/placed /opt/neighbour'
acts() {
	inside "$1" "cp /opt/base /tmp/made; echo made >>/tmp/made; for f in $programs; do \$f && echo \$f ran; done" |
		sed 's/.*: \(.*\): Operation not permitted/\1 refused/'
}
all() { # WORD: that it came to
	local program
	for program in $programs; do
		case $program in */neighbour) echo "$program ran" ;; *) echo "$program $1" ;; esac
	done
}

create one -v volume-one:/volume
create two -v volume-two:/volume
inside two 'while :; do /opt/neighbour && echo ran >>/talk/ran || echo failed >>/talk/failed; sleep 1; done >/talk/loop 2>&1 &'
is "$(acts one)" "$(all ran)" "before, all of one's programs run"
is "$(acts two)" "$(all ran)" "and of two's"
birth() {
	podman inspect -f '{{.State.Pid}} {{.State.StartedAt}} {{.State.Running}}' "$1"
}
before=$(birth two)

# ---- refused -------------------------------------------------------------------------------------
controller -p "$policy"
is "$(acts one)" "$(all refused)" "in force, one's are refused and its neighbour runs"
is "$(acts two)" "$(all refused)" "and two's"
is "$(birth two)" "$before" "container two was not ended"
cp "$work/talk/two/ran" "$work/ran"
sleep 3
runs "and goes on with its own program" test "$(stat -c %s "$work/talk/two/ran")" -gt "$(stat -c %s "$work/ran")"
runs "which never failed" test ! -e "$work/talk/two/failed"
for name in one two; do
	is "$(jq -r "select(.container.id == \"${ids[$name]}\" and .event.outcome == \"failure\").file.path" \
		/run/debar/events.json | sort -u)" "$(all refused | sed -n 's/ refused//p' | sort)" \
		"the events have the id of $name and the paths as it sees them"
done
stop_controller
unload
is "$(acts one)" "$(all ran)" "after, all of one's run"
done_testing
