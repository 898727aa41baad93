# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Debian's fapolicyd in a guest, from its packages unpacked and not installed.

# False, and a line says why, when it could not be fetched.
fapolicyd_unpack() {
	if [ ! -e /bench/fapolicyd.tar ]; then
		echo "no rows of fapolicyd: it could not be fetched (build/bench.log)" >&2
		return 1
	fi
	# /lib and so on are links into /usr here.
	tar -C / --keep-directory-symlink -xf /bench/fapolicyd.tar
	ldconfig 2>/dev/null || :
	echo 'fapolicyd:x:990:990::/run/fapolicyd:/bin/false' >>/etc/passwd
	echo 'fapolicyd:x:990:' >>/etc/group
	install -d -m 755 -o 990 -g 990 /run/fapolicyd /var/lib/fapolicyd /var/log/fapolicyd
	rm -rf /etc/fapolicyd/trust.d
	# The set that its README-rules calls known-libs.
	cat /usr/share/fapolicyd/sample-rules/{10,20,21,30,40,41,42,70,72,90,95}-*.rules |
		grep -v -e '^#' -e '^$' >/etc/fapolicyd/compiled.rules
}

# fapolicyd_trust PLACE...: what runs here is trusted, as what is installed is.
fapolicyd_trust() {
	find -L /usr/bin/{awk,bash,cat,cp,date,grep,kill,rm,sh,sleep,tail} /usr/lib64/ld-linux-x86-64.so.2 \
		/usr/lib/x86_64-linux-gnu/lib{c,tinfo,pcre2-8,selinux,attr,acl,m,mpfr,gmp,readline,sigsegv}.so.* \
		"$@" -type f -exec realpath {} + 2>/dev/null | sort -u >/tmp/trusted
	paste -d ' ' <(xargs stat -c '%n %s' </tmp/trusted) \
		<(xargs sha256sum </tmp/trusted | cut -d ' ' -f 1) >/etc/fapolicyd/fapolicyd.trust
}

# fapolicyd_settings INTEGRITY: none or sha256. A million hashes need room in its database.
fapolicyd_settings() {
	sed -e "s/^integrity.*/integrity = $1/" -e 's/^trust *=.*/trust = file/' \
		-e 's/^watch_fs.*/&,rootfs/' -e 's/^db_max_size.*/db_max_size = 1000/' \
		/etc/fapolicyd/fapolicyd.conf >"/etc/fapolicyd/$1.conf"
}

# fapolicyd_start INTEGRITY: until it listens.
fapolicyd_start() {
	local tries=0
	cp "/etc/fapolicyd/$1.conf" /etc/fapolicyd/fapolicyd.conf
	rm -f /var/lib/fapolicyd/*
	fapolicyd --debug-deny >"/tmp/fapolicyd.$1" 2>&1 &
	echo $! >/tmp/fapolicyd.pid
	until grep -q 'Starting to listen' "/tmp/fapolicyd.$1"; do
		if ! kill -0 "$(cat /tmp/fapolicyd.pid)" 2>/dev/null || [ $((++tries)) -gt 3000 ]; then
			echo "fapolicyd does not start:" >&2
			tail -n 5 "/tmp/fapolicyd.$1" >&2
			return 1
		fi
		sleep 0.1
	done
}

fapolicyd_stop() {
	kill "$(cat /tmp/fapolicyd.pid)"
	while kill -0 "$(cat /tmp/fapolicyd.pid)" 2>/dev/null; do
		sleep 0.1
	done
	sleep 1
}
