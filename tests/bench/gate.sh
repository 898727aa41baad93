# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The same execs in gate mode, to be read beside fapolicyd's: both ask fanotify. Promised is half of
# what fapolicyd adds, which its own rows say anew each time: 18.7 and 20.4 % when this was written.
#
# limit: static debar-gate +9.3%
# limit: dynamic debar-gate +10.2%
# guest: --icount -m 2048 -t 900
set -eu
debar=/debar/build/debar
programs=/debar/build/tests/bench
files=/tmp/files
script=/tmp/script
mkdir -p $files/many
cp $programs/{nothing,nothing_static,libraries} $files/
tee $files/many/{0..299} </bench/tiny.so >/dev/null
cp $programs/nothing_static $files/1M
truncate -s 1M $files/1M

arm() {
	cat <<-ARM
		time static $1 300 $files/nothing_static
		time dynamic $1 300 $files/nothing
		time 300-libraries $1 5 $files/libraries $files/many 300
		first first-sight-1M $1 10 $files/1M
	ARM
}

cat >/tmp/start <<START
$debar run --mode gate -p /bench/1.yaml >/tmp/gate.out 2>/tmp/gate.err &
echo \$! >/tmp/gate.pid
for i in {1..100}; do
	sleep 1
	! grep -q running /tmp/gate.out || exit 0
done
cat /tmp/gate.err >&2
exit 1
START
cat >/tmp/stop <<STOP
kill \$(cat /tmp/gate.pid)
sleep 3
STOP
{
	arm nothing
	echo "run bash /tmp/start"
	arm debar-gate
	echo "run bash /tmp/stop"
	arm nothing-again
} >$script
$programs/stopwatch $script
