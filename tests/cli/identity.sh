#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 300
# Files by their keys, as a person bans them: what debar check says, held against other tools.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

notifier=build/samples/node-notifier/package/vendor
pty=build/samples/node-pty/package/prebuilds

# policy NAME RULES: a ban of these rules, in $work/NAME.yaml.
policy() {
	printf 'ban: %s\nrules:\n%s\n' "$1" "$2" >"$work/$1.yaml"
}

# verdict BAN FILE WORD WHAT: the word that debar check has for it, and the exit status that goes with it.
verdict() {
	local want=0
	[ "$3" = allow ] || want=1
	try "$DEBAR" check --json -p "$work/$1.yaml" "$2"
	is "$(jq -r .verdict <<<"$output") $status" "$3 $want" "$4"
}

field() {
	try "$DEBAR" check --json -p "$work/nothing.yaml" "$1"
	jq -r "$2" <<<"$output"
}

policy nothing '  - sha256: 0000000000000000000000000000000000000000000000000000000000000001'

# ---- look-alikes of a banned company ---------------------------------------------------------

company() {
	policy company '  - certificate: { subject: { serialNumber: "1027739867473" } }'
	policy name '  - certificate: { subject: { O: [" ao  KASPERSKY lab "], C: ru } }'
	policy two '  - certificate: { subject: { O: AO Kaspersky Lab, CN: Else } }'
	policy ca '  - certificate: { subject: { CN: Throw Away CA } }'
	policy anyca '  - certificate: { subject: { CN: Throw Away CA }, position: any }'
	policy issued '  - certificate: { issuer: { CN: Throw Away CA } }'
	policy digest "  - authenticode: $(field tests/fuzz/corpus/pe/p64.exe .authenticode)"
}

sign() {
	local subject='/C=RU/L=Moscow/O=AO Kaspersky Lab/serialNumber=1027739867473/CN=AO Kaspersky Lab'
	local plain=$PWD/tests/fuzz/corpus/pe/p64.exe
	(
		cd "$work" &&
			openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 30 -subj '/CN=Throw Away CA' &&
			openssl req -newkey rsa:2048 -nodes -keyout a.key -out a.csr -subj "$subject" &&
			openssl x509 -req -in a.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -out a.pem &&
			cat ca.pem >>a.pem &&
			openssl req -x509 -newkey rsa:2048 -nodes -keyout b.key -out b.pem -days 30 -subj '/O=Somebody Else/CN=Else' &&
			osslsigncode sign -certs a.pem -key a.key -h sha256 -in "$plain" -out a.exe &&
			osslsigncode sign -certs b.pem -key b.key -h sha1 -in "$plain" -out b.exe &&
			osslsigncode sign -nest -certs b.pem -key b.key -h sha384 -in a.exe -out ab.exe &&
			osslsigncode sign -nest -certs a.pem -key a.key -h sha256 -in b.exe -out ba.exe &&
			osslsigncode remove-signature -in a.exe -out s.exe &&
			openssl req -x509 -newkey rsa:2048 -nodes -keyout junk.key -out junk.pem -days 30 -utf8 -subj '/CN=Some Junk' &&
			cat a.pem junk.pem >aj.pem &&
			osslsigncode sign -certs aj.pem -key a.key -h sha256 -in "$plain" -out aj.exe &&
			perl -pe 's/Some Junk/\xffome Junk/g' <aj.exe >u.exe &&
			cp "$plain" plain.exe
	) >"$work/sign.log" 2>&1
}

if command -v osslsigncode >/dev/null && sign; then
	company
	for ban in company name; do
		for file in a ab ba; do
			verdict $ban "$work/$file.exe" deny "$ban: $file.exe, signed by the look-alike, is denied"
		done
		for file in b s plain; do
			verdict $ban "$work/$file.exe" allow "$ban: $file.exe, which it did not sign, is allowed"
		done
	done
	verdict two "$work/ab.exe" allow "attributes of two certificates are not one certificate's"
	verdict ca "$work/a.exe" allow "an authority is not a signer"
	verdict anyca "$work/a.exe" deny "with position: any it counts"
	verdict anyca "$work/b.exe" allow "but not for who was not certified by it"
	verdict issued "$work/ba.exe" deny "an issuer is matched, in a nested signature too"
	verdict company "$work/u.exe" deny "a certificate that cannot be read hides no other one"
	is "$(field "$work/u.exe" '.signers | length')" 2 "the two others are there"
	policy junk "  - certificate: { sha256: $(openssl x509 -in "$work/junk.pem" -outform DER |
		perl -pe 's/Some Junk/\xffome Junk/g' | sha256sum | cut -c1-64) }"
	verdict junk "$work/u.exe" deny "and it is known by its digest"
	for file in a b ab ba s plain; do
		verdict digest "$work/$file.exe" deny "$file.exe, signed or stripped, is denied by its Authenticode digest"
	done
	try "$DEBAR" check -p "$work/company.yaml" "$work/a.exe"
	like "$output" "signer's certificate .* is banned by .*company.yaml:3 .*" "because names the key and the line"
	try "$DEBAR" check --json -p "$work/nothing.yaml" "$work/ba.exe"
	is "$(jq -c '[.signers[].digest_ok]' <<<"$output")" '[true,true]' "both digests of a doubly signed file hold"
	printf x | dd of="$work/a.exe" bs=1 seek=700 conv=notrunc status=none
	is "$(field "$work/a.exe" '.signers[0].digest_ok')" false "a changed file's does not"
	verdict company "$work/a.exe" deny "and a signature that does not hold still names its signer"
else
	skip "look-alikes of a banned company" "osslsigncode is not installed, or could not sign"
fi

# ---- files that nobody here made -------------------------------------------------------------

if scripts/samples 2>/dev/null; then
	is "$(field $notifier/snoreToast/snoretoast-x64.exe .authenticode)" \
		941b1523eeba8e82b9610aa80dfc610dd23c7ecbd90d706f91f980f5b15c0078 "snoretoast-x64: its Authenticode digest"
	policy kde '  - certificate: { subject: { O: K Desktop Environment e.V. } }'
	verdict kde $notifier/snoreToast/snoretoast-x64.exe deny "snoretoast-x64 is denied by its signer, whose certificate has expired"
	verdict kde $notifier/snoreToast/snoretoast-x86.exe deny "and so is snoretoast-x86"
	verdict kde $notifier/notifu/notifu.exe allow "their unsigned neighbour is allowed"
	policy clock '  - certificate: { subject: { CN: DigiCert SHA2 Timestamp Responder }, position: any }'
	verdict clock $notifier/snoreToast/snoretoast-x64.exe allow "who stamped the time is no signer"
	policy microsoft '  - certificate: { subject: { O: Microsoft Corporation } }'
	policy one "  - certificate: { sha256: $(field $pty/win32-x64/conpty/OpenConsole.exe '.signers[0].sha256') }"
	verdict microsoft $pty/win32-x64/conpty/OpenConsole.exe deny "a subject denies OpenConsole for x64"
	verdict microsoft $pty/win32-arm64/conpty/OpenConsole.exe deny "and for arm64"
	verdict one $pty/win32-x64/conpty/OpenConsole.exe deny "one certificate denies one"
	verdict one $pty/win32-arm64/conpty/OpenConsole.exe allow "and not the other"
else
	skip "files signed by others" "scripts/samples could not fetch them"
fi

# ---- modules, build-ids, packages ------------------------------------------------------------

module=$(find build/kernels/ -name '*.ko' 2>/dev/null | sort | head -n 1)
if [ -n "$module" ] && command -v modinfo >/dev/null; then
	serial=$(field "$module" '.signers[0].serial')
	is "$serial" "$(modinfo "$(realpath "$module")" | sed -n 's/^sig_key: *//p' | tr -d ': ' | tr A-F a-f)" \
		"a module's serial is what modinfo says"
	policy builder "  - certificate: { issuer: { CN: Build time autogenerated kernel key }, serial: $serial }"
	verdict builder "$module" deny "a signed module is denied by issuer and serial"
	xz -c --check=crc32 "$module" >"$work/module.ko.xz"
	verdict builder "$work/module.ko.xz" deny "and compressed too"
	strip -g -o "$work/stripped.ko" "$module"
	verdict builder "$work/stripped.ko" allow "without its signature it is not"
else
	skip "a signed module" "no build/kernels, or no modinfo"
fi

buildid=$(readelf -n /bin/ls | sed -n 's/.*Build ID: //p')
is "$(field /bin/ls .buildid)" "$buildid" "readelf says the same build-id"
policy buildid "  - buildid: $buildid"
verdict buildid /bin/ls deny "a build-id denies its file"
verdict buildid /bin/cat allow "and no other"

if command -v dpkg-query >/dev/null; then
	for file in ls cat dpkg; do
		owner=$(dpkg-query -S "/bin/$file" "/usr/bin/$file" 2>/dev/null | sed -n '1s/:.*//p')
		is "$(field "/usr/bin/$file" .package)" "$owner" "dpkg-query -S says that $owner owns $file"
	done
	policy package '  - package: coreutil*'
	verdict package /bin/ls deny "a package denies its file, whatever the path leads through"
	verdict package /bin/bash allow "and no other's"
	cp /bin/ls "$work/ls"
	verdict package "$work/ls" deny "and a copy of it"
	policy shells '  - package: bash'
	cp /bin/bash "$work/bash"
	verdict shells /bin/bash deny "a package denies a shell, where it lies"
	verdict shells "$work/bash" allow "and no copy of what the machine cannot do without"
else
	skip "who owns a file" "dpkg is not installed"
fi

policy acme '  - package: acme-agent'
for file in deb/acme_xz.deb deb/acme_zstd.deb rpm/plain.rpm; do
	verdict acme tests/fuzz/corpus/$file deny "an installer is denied by its package's name: $file"
done

# ---- what is no file to look at --------------------------------------------------------------

mkfifo "$work/fifo"
for file in "$work/fifo" /dev/null / "$work/absent/x"; do
	try timeout 10 "$DEBAR" check -p "$work/nothing.yaml" "$file"
	is "$status" 2 "$file is an error, and nobody waits"
	like "$errors" "^debar: cannot check $file: " "which is told with its name"
done
printf MZ >"$work/mz"
is "$(field "$work/mz" .type)" dos "two bytes are read"
: >"$work/empty"
is "$(field "$work/empty" .type)" data "nothing is read"

done_testing
