#!/bin/bash
# SPDX-License-Identifier: MIT
#
# debar policy as a person meets it: what is printed, where, and the exit code.
set -u
cd "$(dirname "$0")/../.." || exit
# shellcheck source=tests/tap.sh
. tests/tap.sh
[ -x "$DEBAR" ] || skip_all "there is no $DEBAR"
export DEBAR_BANS=$PWD/policy/bans DEBAR_POLICY_DIR=$work/policy.d DEBAR_TRUST=$work/trust
export DEBAR_SERIALS=$work/serials
mkdir "$work/policy.d"
a=$(printf 'a%.0s' {1..64})
policy() { # FILE TEXT
	printf '%b' "$2" >"$work/$1"
}

# ---- check ----
exits 0 'nothing named and nothing configured: the shipped bans' "$DEBAR" policy check
like "$output" '^kaspersky: .*exec deny, network deny$' 'each with what it does now'
exits 0 'a shipped ban by its id' "$DEBAR" policy check kaspersky
is "$(wc -l <<<"$output")" 1 'is one ban'
mkdir -p "$work/there/kaspersky"
exits 0 'whatever lies in the working directory' env -C "$work/there" "$(realpath "$DEBAR")" policy check kaspersky
like "$output" '^kaspersky: ' 'an id is the shipped ban'
exits 2 'an unknown id' "$DEBAR" policy check kaspersy
like "$errors" 'kaspersy: No such file or directory' 'is named'
is "$output" '' 'and nothing is on stdout'
policy one.yaml "ban: one\nrules:\n  - sha256: $a\n"
exits 0 'a file' "$DEBAR" policy check "$work/one.yaml"
is "$output" 'one: 1 sha256; exec deny, network deny' 'in one line'
exits 0 'as JSON' "$DEBAR" policy check --json "$work/one.yaml"
is "$(jq -r '.ban, .rules.sha256, .exec' <<<"$output" | xargs)" 'one 1 deny' 'one object'
policy bad.yaml 'ban: bad\nrulez: []\n'
exits 2 'an error' "$DEBAR" policy check "$work/bad.yaml"
is "$errors" "$work/bad.yaml:2:1: unknown key \"rulez\" in a policy; did you mean \"rules\"?" 'has its place'
exits 2 'no such file' "$DEBAR" policy check "$work/none.yaml"
is "$(wc -l <<<"$errors")" 1 'is one line'
policy empty.yaml ''
exits 2 'an empty file' "$DEBAR" policy check "$work/empty.yaml"
is "$errors" "$work/empty.yaml:1:1: the file is empty" 'says so'
truncate -s 100M "$work/large.yaml"
exits 2 'a file of 100 MB' "$DEBAR" policy check "$work/large.yaml"
like "$errors" 'large.yaml: is 104857600 bytes; at most 16777216 are read' 'is not read'
mkfifo "$work/fifo.yaml"
exits 2 'a FIFO does not hang' timeout 10 "$DEBAR" policy check "$work/fifo.yaml"
like "$errors" 'is not a regular file' 'and is named for what it is'
cp /bin/true "$work/binary.yaml"
exits 2 'a binary' "$DEBAR" policy check "$work/binary.yaml"
like "$errors" 'binary.yaml:1:[0-9]+: ' 'has a place'
exits 2 'one ban twice' "$DEBAR" policy check "$work/one.yaml" "$work/one.yaml"
like "$errors" 'one.yaml:1:1: the ban "one" is given twice' 'is refused'

# ---- directories ----
mkdir "$work/dir"
exits 2 'an empty directory' "$DEBAR" policy check "$work/dir"
like "$errors" 'no policy \(\*.yaml\)' 'is an error'
cp "$work/one.yaml" "$work/dir/20-one.yaml"
policy dir/10-two.yaml "ban: two\nrules:\n  - path: /a\n"
policy dir/README 'not a policy'
ln -s . "$work/dir/loop"
exits 0 'a directory, with a loop in it' "$DEBAR" policy check "$work/dir"
is "$(cut -d: -f1 <<<"$output" | xargs)" 'two one' 'is read in the order of names'
cp "$work/bad.yaml" "$work/dir/15-bad.yaml"
exits 2 'one bad file among good ones' "$DEBAR" policy check "$work/dir"
is "$output" '' 'and nothing is accepted'
like "$errors" '15-bad.yaml:2:1: ' 'the bad one is named'
cp "$work/one.yaml" "$work/policy.d"
exits 0 'what is configured' "$DEBAR" policy check
is "$output" 'one: 1 sha256; exec deny, network deny' 'comes before what is shipped'
if [ "$(id -u)" -eq 0 ] && chmod 000 "$work/one.yaml"; then
	exits 2 'a file that may not be read' setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$DEBAR" policy check "$work/one.yaml"
	chmod 644 "$work/one.yaml"
else
	skip 'a file that may not be read' 'only root can become somebody else'
fi

# ---- a list that changes while it is read ----
policy moving.yaml 'ban: m\nrules:\n  - list: moving.txt\n    kind: path\n'
{
	echo /a
	yes '# nothing but a comment, many times over' | head -c 100000000
} >"$work/moving.txt"
exits 0 'a list of 100 MB' "$DEBAR" policy check "$work/moving.yaml"
while :; do echo '# more' >>"$work/moving.txt"; done &
writer=$!
at_exit "kill $writer"
exits 2 'a list that changes while it is read' "$DEBAR" policy check "$work/moving.yaml"
like "$errors" 'moving.yaml:3:11: list "moving.txt": changed while it was read; try again' 'is refused'
kill $writer
rm "$work/moving.txt"

# ---- the running system ----
policy system.yaml "ban: s\nrules:\n  - sha256: $(sha256sum /bin/sh | cut -c1-64)\n"
exits 2 'a rule that bans the shell' "$DEBAR" policy check "$work/system.yaml"
like "$errors" 'system.yaml:3:5: this would refuse the running system: it bans /.*sh \(--force accepts it\)' 'is refused'
exits 0 'and accepted when forced' "$DEBAR" policy check --force "$work/system.yaml"
like "$errors" 'this would refuse the running system.*\(warning\)$' 'with a warning'
libc=$(ldd /bin/sh | awk '/libc.so/ { print $3 }')
policy system.yaml "ban: s\nrules:\n  - path: $(dirname "$(realpath "$libc")")/\n"
exits 2 'a path above the C library' "$DEBAR" policy check "$work/system.yaml"
owner=$(dpkg-query -S "$libc" "$(realpath "$libc")" 2>/dev/null | head -n 1 | cut -d: -f1)
if [ -n "$owner" ]; then
	policy system.yaml "ban: s\nrules:\n  - package: no-such-package\n  - package: ${owner%?}*\n"
	exits 2 'the package of the C library' "$DEBAR" policy check "$work/system.yaml"
	like "$errors" 'system.yaml:4:5: this would refuse the running system: it bans /.*lib' 'is refused'
else
	skip 'the package of the C library' 'this system has no dpkg'
fi
mkdir -p "$work/real/below"
ln -s real "$work/link"
policy links.yaml "ban: l\nrules:\n  - path: $work/link/below/\n  - path: $work/link/none/at/all\n  - path: $work/real/below/\n"
exits 0 'a path through a link' "$DEBAR" policy check "$work/links.yaml"
is "$(wc -l <<<"$errors")" 2 'is warned of, and no other'
like "$errors" "links.yaml:3:5: .*/link/below/ leads through a link and meets nothing; did you mean .*/real/below/\?" 'with what to write'
like "$errors" 'links.yaml:4:5: .*did you mean .*/real/none/at/all\?' 'also where nothing is yet'
policy suffix.yaml 'ban: s\nrules:\n  - domain: co.uk\n'
exits 2 'a public suffix' "$DEBAR" policy check "$work/suffix.yaml"
like "$errors" 'co.uk is a public suffix' 'is refused'
policy expired.yaml "ban: e\nrules: [{path: /a}]\nexcept:\n  - {uid: 1, reason: r, until: 2020-01-01T00:00:00Z}\n"
exits 2 'an expired exception' "$DEBAR" policy check "$work/expired.yaml"
exits 0 'is only a warning to other verbs' "$DEBAR" policy show "$work/expired.yaml"
like "$errors" 'expired.yaml:4:5: the exception expired at 2020-01-01T00:00:00Z \(warning\)' 'that names it'

# ---- show, diff ----
exits 0 'show' "$DEBAR" policy show kaspersky
printf '%s\n' "$output" >"$work/shown.yaml"
cp -r policy/bans/identifiers "$work/"
exits 0 'what is shown can be read' "$DEBAR" policy show "$work/shown.yaml"
is "$output" "$(cat "$work/shown.yaml")" 'and shows the same'
cat >"$work/archives.yaml" <<END
ban: archives
rules:
  - sha256: $(printf '%064d' 1)
    note: "recipe: archive agent_1.0_amd64.deb"
  - sha256: $(printf '%064d' 2)
    note: the agent's program
  - package: agent
  - domain: agent.example
END
exits 0 'show of digests of archives' "$DEBAR" policy show "$work/archives.yaml"
is "$(tail -n 1 <<<"$output")" \
	'# 2 of 3 rules about files can match at exec; 1 are digests of archives, for debar check and the apt hook' \
	'counts what can match at exec'
exits 0 'and as JSON' "$DEBAR" policy show --json "$work/archives.yaml"
is "$(jq -c '[.rules[].archive]' <<<"$output")" '[true,false,null,null]' 'marks them'
exits 0 'show as JSON' "$DEBAR" policy show --json kaspersky
is "$(jq -r '.rules[] | select(.value == "upd.kaspersky.com") | .kind' <<<"$output")" domain 'has its rules'
policy two.yaml "ban: one\nrules:\n  - sha256: $a\n    exec: audit\n"
exits 0 'diff' "$DEBAR" policy diff "$work/one.yaml" "$work/two.yaml"
is "$output" "ban one: rule sha256 $a is now exec audit, was as the phase says" 'is in words'
exits 0 'diff of the same' "$DEBAR" policy diff "$work/one.yaml" "$work/one.yaml"
is "$output" 'nothing changes' 'says so'
exits 2 'diff of one' "$DEBAR" policy diff "$work/one.yaml"

# ---- explain ----
exits 0 'explain' "$DEBAR" policy explain -p kaspersky
like "$output" '89 FR 52434' 'cites the authority'
like "$output" 'prohibits supply, update, integrate, license' 'says what it prohibits'
like "$output" '2024-09-29T04:00:00Z exec deny, network deny  <- in force' 'since when'
like "$output" "No authority above asks for it: it is the organisation's own decision" 'and whose decision it is'
exits 0 'explain at an instant' "$DEBAR" policy explain -p kaspersky --at 2024-07-19T00:00:00Z s00.upd.kaspersky.com
like "$output" '^s00.upd.kaspersky.com: let be by .*kaspersky.yaml:[0-9]+ \(domain upd.kaspersky.com\)' 'before the first phase'
exits 0 'a nanosecond before a phase' "$DEBAR" policy explain -p kaspersky --at 2024-09-29T03:59:59.999999999Z upd.kaspersky.com
like "$output" '^upd.kaspersky.com: audited' 'is the phase before'
exits 0 'at a phase' "$DEBAR" policy explain -p kaspersky --at 2024-09-29T00:00:00-04:00 upd.kaspersky.com
like "$output" '^upd.kaspersky.com: denied' 'is the phase'
exits 0 'an excepted name' "$DEBAR" policy explain -p kaspersky support.kaspersky.com
like "$output" '^support.kaspersky.com: excepted from' 'is excepted'
exits 0 'a name with a dot at its end' "$DEBAR" policy explain -p kaspersky S00.UPD.kaspersky.com.
like "$output" '^S00.UPD.kaspersky.com.: denied by .*\(domain upd.kaspersky.com\)' 'is the name'
exits 0 "a certificate's number" "$DEBAR" policy explain -p kaspersky 1027739867473
like "$output" '^1027739867473: denied by .*\(certificate .*serialNumber' 'finds the rule that asks for it'
exits 0 'a signer' "$DEBAR" policy explain -p kaspersky 'ao  Kaspersky lab'
like "$output" '\(certificate .*AO Kaspersky Lab' 'is compared as certificates are'
exits 0 'a ban of names alone' "$DEBAR" policy explain -p tiktok
like "$output" '  files       no rule is about files' 'says nothing of files'
like "$output" '  network     denied, but audited where a rule says so. An authority above asks' 'and that rules differ'
exits 0 'before any phase' "$DEBAR" policy explain -p kaspersky --at 2024-01-01T00:00:00Z
like "$output" '  files       let be.' 'nothing is decided'
like "$output" '  until       2024-07-20T04:00:00Z, when the first phase begins' 'until the first begins'
is "$(grep -c 'own decision.$' <<<"$output")" 0 'by anybody'
is "$(awk 'length > 100 && !/https?:|except/' <<<"$output")" '' 'and the prose is in lines that a screen holds'
exits 0 'a look-alike' "$DEBAR" policy explain -p kaspersky notkaspersky.com
is "$output" 'notkaspersky.com: no rule speaks of it' 'is nobody'"'"'s'
exits 0 'bans that share a rule' "$DEBAR" policy explain -p kaspersky -p kaspersky-us-ndaa-1634 opentip.kaspersky.com
like "$output" '^opentip.kaspersky.com: excepted from .*\(domain kaspersky.com\) of ban kaspersky:' 'are told apart'
like "$output" 'opentip.kaspersky.com: denied by .*\(domain opentip.kaspersky.com\) of ban kaspersky-us-ndaa-1634:' 'each with its own word'
exits 0 'explain as JSON' "$DEBAR" policy explain -p kaspersky-us-ndaa-1634 --json upd.kaspersky.com
is "$(jq -rs '.[0] | .verdict, .demanded.exec' <<<"$output" | xargs)" 'deny true' 'says that this authority asks for it'
exits 2 'an instant without a zone' "$DEBAR" policy explain --at 2024-09-29T00:00:00
like "$errors" 'a time without a zone is not an instant' 'is an error'

# ---- sign, verify ----
mkdir "$work/trust" "$work/signed"
key() { # NAME
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$work/$1.key" -out "$work/$1.crt" -subj "/CN=$1" \
		-days 2 2>/dev/null
}
key ours
key theirs
cp "$work/ours.crt" "$work/trust/"
printf '%s\n' "$a" >"$work/signed/list.txt"
policy signed/p.yaml 'ban: p\nserial: 7\nrules:\n  - list: list.txt\n    kind: sha256\n'
exits 2 'an unsigned policy' "$DEBAR" policy verify "$work/signed/p.yaml"
like "$errors" 'p.yaml: is not signed' 'is not verified'
exits 0 'sign' "$DEBAR" policy sign --key "$work/ours.key" --certificate "$work/ours.crt" "$work/signed/p.yaml"
exits 0 'verify' "$DEBAR" policy verify "$work/signed/p.yaml"
is "$output" "$work/signed/p.yaml: signed, 2 files" 'the policy and its list'
{
	echo '# debar policy 1'
	(cd "$work/signed" && sha256sum p.yaml list.txt)
} >"$work/manifest"
exits 0 'openssl verifies it, too' openssl cms -verify -binary -inform DER -in "$work/signed/p.yaml.sig" \
	-content "$work/manifest" -CAfile "$work/ours.crt" -purpose any -out /dev/null
printf '# more\n' >>"$work/signed/list.txt"
exits 2 'a list that was changed' "$DEBAR" policy verify "$work/signed/p.yaml"
like "$errors" 'its signature is refused' 'is refused'
exits 2 'a key of another certificate' "$DEBAR" policy sign --key "$work/theirs.key" \
	--certificate "$work/ours.crt" "$work/signed/p.yaml"
exits 0 'signed by somebody else' "$DEBAR" policy sign --key "$work/theirs.key" \
	--certificate "$work/theirs.crt" "$work/signed/p.yaml"
exits 2 'is not verified' "$DEBAR" policy verify "$work/signed/p.yaml"
echo 'p 8' >"$work/serials"
"$DEBAR" policy sign --key "$work/ours.key" --certificate "$work/ours.crt" "$work/signed/p.yaml"
exits 2 'an older edition' "$DEBAR" policy verify "$work/signed/p.yaml"
like "$errors" 'serial 7, and 8 was accepted before' 'is refused'
rm "$work/serials"
policy signed/p.yaml 'ban: p\nserial: 7\nexpires: 2020-01-01T00:00:00Z\nrules: [{path: /a}]\n'
"$DEBAR" policy sign --key "$work/ours.key" --certificate "$work/ours.crt" "$work/signed/p.yaml"
exits 2 'an expired policy' "$DEBAR" policy verify "$work/signed/p.yaml"
like "$errors" 'expired at 2020-01-01T00:00:00Z' 'is refused'
echo junk >"$work/signed/p.yaml.sig"
exits 2 'a signature that is none' "$DEBAR" policy verify "$work/signed/p.yaml"
like "$errors" 'p.yaml.sig: is not a CMS signature' 'is named'
echo junk >"$work/trust/junk.pem"
exits 2 'an anchor that is none' "$DEBAR" policy verify "$work/signed/p.yaml"
like "$errors" 'junk.pem: holds no certificate' 'is named'
DEBAR_TRUST=$work/nowhere exits 2 'no directory of certificates' "$DEBAR" policy verify "$work/signed/p.yaml"
like "$errors" 'nowhere: cannot be read: .*certificates that may sign policies lie there' 'is named, with what belongs there'

# ---- usage ----
exits 2 'no verb' "$DEBAR" policy
exits 2 'an unknown verb' "$DEBAR" policy chekc
exits 0 'help' "$DEBAR" policy help
exits 0 'help on a verb' "$DEBAR" policy show --help
like "$output" 'usage: debar policy show' 'is about it'
exits 2 'an unknown option' "$DEBAR" policy check --colour
is "$errors" 'debar: debar policy check does not take --colour' 'is named'
exits 2 'an option without its value' "$DEBAR" policy check --at
is "$errors" 'debar: --at needs a value' 'is named, too'

done_testing
