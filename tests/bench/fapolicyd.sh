# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The same execs with Debian's fapolicyd in the place of debar, its integrity setting at none and at
# sha256; what is there is in its trust list, and its rules are of those it comes with.
#
# guest: --icount -m 2048 -t 900
set -eu
programs=/debar/build/tests/bench
files=/tmp/files
script=/tmp/script
if [ ! -e /bench/fapolicyd.tar ]; then
	echo "bench: no rows of fapolicyd: it could not be fetched (build/bench.log)" >&2
	exit 0
fi
# /lib and so on are links into /usr here.
tar -C / --keep-directory-symlink -xf /bench/fapolicyd.tar
ldconfig 2>/dev/null || :
echo 'fapolicyd:x:990:990::/run/fapolicyd:/bin/false' >>/etc/passwd
echo 'fapolicyd:x:990:' >>/etc/group
install -d -m 755 -o 990 -g 990 /run/fapolicyd /var/lib/fapolicyd /var/log/fapolicyd
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

# What runs here is trusted, as what is installed is.
find -L /usr/bin/{bash,cat,cp,grep,kill,rm,sh,sleep,tail} /usr/lib64/ld-linux-x86-64.so.2 \
	/usr/lib/x86_64-linux-gnu/{libc,libtinfo,libpcre2-8,libselinux,libattr,libacl,libm}.so.* \
	$programs $files -type f -exec realpath {} + \
	2>/dev/null | sort -u >/tmp/trusted
paste -d ' ' <(xargs stat -c '%n %s' </tmp/trusted) <(xargs sha256sum </tmp/trusted | cut -d ' ' -f 1) \
	>/etc/fapolicyd/fapolicyd.trust
rm -rf /etc/fapolicyd/trust.d
for integrity in none sha256; do
	sed -e "s/^integrity.*/integrity = $integrity/" -e 's/^trust *=.*/trust = file/' \
		-e 's/^watch_fs.*/&,rootfs/' /etc/fapolicyd/fapolicyd.conf >/etc/fapolicyd/$integrity.conf
done
# The set that its README-rules calls known-libs.
cat /usr/share/fapolicyd/sample-rules/{10,20,21,30,40,41,42,70,72,90,95}-*.rules |
	grep -v -e '^#' -e '^$' >/etc/fapolicyd/compiled.rules

cat >/tmp/start <<'START'
cp /etc/fapolicyd/$1.conf /etc/fapolicyd/fapolicyd.conf
rm -f /var/lib/fapolicyd/*
fapolicyd --debug-deny >/tmp/fapolicyd.$1 2>&1 &
echo $! >/tmp/fapolicyd.pid
for i in {1..100}; do
	sleep 1
	! grep -q 'Starting to listen' /tmp/fapolicyd.$1 || exit 0
	kill -0 $(cat /tmp/fapolicyd.pid) 2>/dev/null || break
done
echo "bench: fapolicyd does not start:" >&2
tail -n 5 /tmp/fapolicyd.$1 >&2
exit 1
START
cat >/tmp/stop <<'STOP'
kill $(cat /tmp/fapolicyd.pid)
sleep 3
STOP
{
	arm nothing
	for integrity in none sha256; do
		echo "run bash /tmp/start $integrity"
		arm fapolicyd-$integrity
		echo "run bash /tmp/stop"
	done
	arm nothing-again
} >$script
$programs/stopwatch $script
