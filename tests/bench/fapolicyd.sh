# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The same execs with Debian's fapolicyd in the place of debar, its integrity setting at none and at
# sha256; what is there is in its trust list, and its rules are of those it comes with.
#
# subject: the same execs with fapolicyd, by the number of instructions
# guest: --icount -m 2048 -t 900
set -eu
programs=/debar/build/tests/bench
files=/tmp/files
script=/tmp/script
# shellcheck source=tests/bench/lib.sh
. tests/bench/lib.sh
fapolicyd_unpack || exit 0
mkdir -p $files/many
cp $programs/{nothing,nothing_static,libraries} $files/
tee $files/many/{0..299} </bench/tiny.so >/dev/null

arm() {
	cat <<-ARM
		time static $1 300 $files/nothing_static
		time dynamic $1 300 $files/nothing
		time 300-libraries $1 5 $files/libraries $files/many 300
	ARM
}

fapolicyd_trust $programs $files
for integrity in none sha256; do
	fapolicyd_settings $integrity
done
{
	arm nothing
	for integrity in none sha256; do
		echo "run . tests/bench/lib.sh; fapolicyd_start $integrity"
		arm fapolicyd-$integrity
		echo "run . tests/bench/lib.sh; fapolicyd_stop"
	done
	arm nothing-again
} >$script
$programs/stopwatch $script
