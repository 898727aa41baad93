#!/bin/bash
# SPDX-License-Identifier: MIT
# debar check of files that are not what a file should be: each is answered or refused in a line, soon.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

pe=$PWD/tests/fuzz/corpus/pe
DEBAR=$(realpath "$DEBAR")
cd "$work" || exit
field() { jq -r "$1" <<<"$output"; }
printf 'ban: test\noversize: deny\nrules:\n  - buildid: %040d\n  - certificate: { subject: { CN: AO Example Lab } }\n' 1 >test.yaml
sed 's/oversize: deny/oversize: allow/' test.yaml >large.yaml
check() { # STATUS WHAT FILE [POLICY]
	exits "$1" "$2" timeout 60 "$DEBAR" check --json -p "${4:-test.yaml}" "$3"
}

# enormous, and mostly not there
if truncate -s 1T nothing 2>/dev/null; then
	check 0 "1 TB of nothing" nothing
	is "$(field '[.type, .size, .sha256, .verdict] | tostring')" '["data",1099511627776,null,"allow"]' \
		"is not digested"
	cp /bin/true program && truncate -s 1T program
	check 1 "a program of 1 TB" program
	is "$(field '[.type, .verdict, .ban, .rule, .because] | tostring')" \
		'["elf","deny","test",null,"it is above 512 MiB, too large to be hashed when it is to run, and ban test says oversize: deny: denied"]' \
		"is too large to run where oversize says deny"
	check 0 "where it says allow" program large.yaml
	is "$(field .buildid)" "$(readelf -n /bin/true | sed -n 's/.*Build ID: //p')" "it can be looked at all the same"
	cp "$pe/p64.a.exe" image && truncate -s 1T image
	check 0 "a Windows image of 1 TB" image large.yaml
	try timeout 60 "$DEBAR" check -p large.yaml image
	like "$output" 'problem +a Windows image of more than 4 GiB' "is told not to be one"
	rm nothing program image
else
	skip "files of 1 TB" "this file system has none"
fi

# unreadable
install -m 600 /bin/true secret
chmod 755 .
if [ "$(id -u)" = 0 ] && setpriv --reuid 65534 --clear-groups "$DEBAR" help >/dev/null 2>&1; then
	exits 2 "a file that may not be read" setpriv --reuid 65534 --clear-groups "$DEBAR" check -p test.yaml "$work/secret"
	like "$errors" "^debar: cannot check $work/secret: Permission denied$" "is refused, and why is said"
else
	skip "a file that may not be read" "needs root, and a build that others reach"
fi

# changed while it is read
cp "$pe/p64.a.exe" changing
truncate -s 100M changing
while printf x | dd of=changing bs=1 seek=5000 conv=notrunc status=none; do sleep 0.01; done &
writer=$!
at_exit "kill $writer"
check 2 "a Windows image that changes while it is read" changing
like "$errors" '^debar: cannot check changing: changed while it was read$' "is refused, and why is said"
while sleep 0.01 && truncate -s 1M changing; do truncate -s 100M changing; done &
at_exit "kill $!"
check 2 "and one that grows and shrinks" changing
like "$errors" '^debar: cannot check changing: changed while it was read$' "as well"
kill $writer $!
wait $writer $! 2>/dev/null

# a certificate table that lies: past the end, over the header, without a length, of 4 GB
put32() { # FILE OFFSET NUMBER
	printf '%08x' "$3" | sed 's/\(..\)\(..\)\(..\)\(..\)/\\x\4\\x\3\\x\2\\x\1/' | xargs -0 printf %b |
		dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
header=$(od -An -tu4 -j 60 -N 4 "$pe/p64.a.exe" | tr -d ' ')
table=$(od -An -tu4 -j $((header + 168)) -N 8 "$pe/p64.a.exe")
read -r start size <<<"$table"
while read -r place length signers what; do
	cp "$pe/p64.a.exe" lying
	put32 lying $((header + 168)) "$place"
	put32 lying $((header + 172)) "$length"
	try timeout 20 "$DEBAR" check --json -p large.yaml lying
	is "$status $(field '[.type, (.signers | length)] | tostring')" "$((signers > 0)) [\"pe\",$signers]" \
		"a certificate table $what"
done <<END
$start $size 1 as it was
$start 4294967295 1 of 4 GB
4294967280 $size 0 behind the end
$header $size 0 over the header
$((start - 8)) $size 0 that begins in the image
$start 0 0 without a length
0 $size 0 without a place
END

# more certificates than anybody needs, and signatures nested for ever
bag() { # COUNT certificates that differ by their serial numbers, and one that signs
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 9 \
		-set_serial 0x4142434445464748 -subj /CN=many -config <(printf '[req]\ndistinguished_name=n\n[n]\n') 2>/dev/null &&
		openssl x509 -in cert.pem -outform DER -out cert.der &&
		perl -MMIME::Base64 -e 'my $der = join "", <STDIN>; for my $i (1 .. $ARGV[0]) {
			my $one = $der; my $serial = sprintf "%08x", 0x41000000 + $i; $one =~ s/ABCDEFGH/$serial/;
			print "-----BEGIN CERTIFICATE-----\n", encode_base64($one), "-----END CERTIFICATE-----\n" }' "$1" \
			<cert.der >bag.pem &&
		openssl cms -sign -binary -outform DER -in /bin/true -signer cert.pem -inkey key.pem -certfile bag.pem -out cms
}
append() { # FILE: with what is in cms as its signature
	{
		cat "$1" cms
		printf '\0\0\2\0\0\0\0\0'
		printf '%08x' "$(stat -c %s cms)" | sed 's/../\\x&/g' | xargs -0 printf %b
		printf '~Module signature appended~\n'
	} >signed
}
if bag 1100; then
	append /bin/true
	check 1 "1,100 certificates" signed
	like "$(field .because)" '^it has more keys than are kept, and ban test looks at them: denied$' "are refused, and why is said"
	is "$(field '.signers | length')" 1 "and the one who signed is found"
else
	skip "1,100 certificates" "openssl cannot make them"
fi
yes "$(printf '\x30\x80')" 2>/dev/null | tr -d '\n' | head -c 1000000 >cms
append /bin/true
try timeout 20 "$DEBAR" check -p large.yaml signed
is "$status" 0 "sequences of indefinite length, 500,000 deep"
like "$output" 'problem +a signature that is not PKCS#7 or CMS signed data' "are no signature"

# a database of packages that is broken: files have no owner, and are answered
if unshare -m --propagation private true 2>/dev/null; then
	broken() { # WHAT SCRIPT WORDS
		# shellcheck disable=SC2016 # for the inner shell
		exits 0 "$1" timeout 60 unshare -m --propagation private bash -c '
			mount -t tmpfs tmpfs /var/lib && mkdir -p /var/lib/dpkg/info /var/lib/rpm && eval "$1" &&
			exec "$2" check --json -p test.yaml /bin/true' bash "$2" "$DEBAR"
		like "$errors" "$3" "is told"
		is "$(field .verdict)" allow "and the file is looked at"
	}
	broken "a list of dpkg that is a FIFO" 'mkfifo /var/lib/dpkg/info/x.list' 'package database cannot be read'
	broken "one that is a directory" 'mkdir /var/lib/dpkg/info/x.list' 'package database cannot be read'
	broken "one with bytes of all kinds" 'head -c 100000 /dev/urandom >/var/lib/dpkg/info/x.list' '^$'
	broken "one that links to itself" 'ln -s x.list /var/lib/dpkg/info/x.list' 'package database cannot be read'
	broken "a damaged database of rpm" 'head -c 100000 /dev/urandom >/var/lib/rpm/rpmdb.sqlite' 'rpm|RPM'
	broken "one that is a FIFO" 'mkfifo /var/lib/rpm/rpmdb.sqlite' 'rpm|RPM|package database'
	broken "no database at all" 'rm -r /var/lib/dpkg /var/lib/rpm' '^$'
else
	skip "broken databases of packages" "needs a mount namespace of its own"
fi
done_testing
