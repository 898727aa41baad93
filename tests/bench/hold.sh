# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What a program costs that has to be classified: held at its first exec, read by the controller, let go;
# and at its second. Beside it the same under digests alone, where nobody is asked.
#
# subject: what the hold costs, by the number of instructions
# limit: first-sight-1M* certificates +50% over digests
# limit: again-* certificates +0.4% over nothing
# guest: --icount -m 2048 -t 900
set -eu
debar=/debar/build/debar
programs=/debar/build/tests/bench
pe=/debar/tests/data/identity/pe
files=/tmp/files
mkdir -p $files

# One of 1 MB that nobody has seen, for each time and arm.
for arm in nothing digests certificates; do
	for n in {1..8}; do
		cp $programs/nothing_static "$files/$arm.$n"
		truncate -s 1M "$files/$arm.$n"
		echo "$arm $n" | dd of="$files/$arm.$n" bs=1 seek=1048000 conv=notrunc status=none
		cp $pe/p32.b.exe $files/"$arm.$n.pe"
		printf %04d "$n" | dd of=$files/"$arm.$n.pe" bs=1 seek=900 conv=notrunc status=none
	done
done
cp $programs/{nothing,nothing_static} $files/
modprobe binfmt_misc
mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
echo ":pe:E::pe::$files/nothing_static:" >/proc/sys/fs/binfmt_misc/register
cat >/tmp/certificates.yaml <<END
ban: bench
rules:
  - certificate: { subject: { serialNumber: "1027739867473" } }
END

cat >/tmp/start <<START
$debar run -p /tmp/certificates.yaml >/tmp/run.out 2>/tmp/run.err &
echo \$! >/tmp/run.pid
for i in {1..100}; do
	sleep 1
	! grep -q running /tmp/run.out || exit 0
done
cat /tmp/run.err >&2
exit 1
START
cat >/tmp/stop <<STOP
kill \$(cat /tmp/run.pid)
while kill -0 \$(cat /tmp/run.pid); do sleep 0.1; done 2>/dev/null
$debar unload >&2
sleep 2
STOP
arm() {
	local n
	for n in {1..8}; do
		echo "first first-sight-1M $1 1 $files/$1.$n"
		echo "first first-sight-PE $1 1 $files/$1.$n.pe"
	done
	echo "time again-static $1 300 $files/nothing_static"
	echo "time again-dynamic $1 300 $files/nothing"
	echo "time again-PE $1 300 $files/$1.1.pe"
}
{
	for _ in 1 2; do
		arm nothing
		echo "run $debar load -p /bench/1.yaml >&2"
		arm digests
		echo "run $debar unload >&2; sleep 2"
		echo "run bash /tmp/start"
		arm certificates
		echo "run bash /tmp/stop"
	done
} >/tmp/script
$programs/stopwatch /tmp/script >/tmp/rows
# Of the first round what was never seen, of both what was; and the means.
jq -c -s 'def mean: add / length | round;
	[limit(24 * 2 + 9; .[]) | select(.name | startswith("first-"))]
		+ map(select(.name | startswith("again-")))
	| group_by([.name, .variant]) | map(.[0] + {value: map(.value) | mean})
	| sort_by(.name, (.variant | {nothing: 0, digests: 1, certificates: 2}[.]))[]' /tmp/rows
