#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The shipped bans as a person meets them: what must stand in them and what never may, and what
# debar says of names before, at and after the instants.
set -u
cd "$(dirname "$0")/../.." || exit
# shellcheck source=tests/tap.sh
. tests/tap.sh
bans=policy/bans

# absent TEXT PATTERN: no shipped file has it, in any case of letters.
absent() {
	local found
	found=$(grep -rniE --include='*.yaml' --include='*.txt' -e "$2" "$bans" 2>&1)
	[ $? -eq 1 ]
	passed $? "$1"
	[ -z "$found" ] || echo "# ${found//$'\n'/$'\n'# }"
}

mapfile -t files < <(find "$bans" -name '*.yaml' ! -path '*/identifiers/*' | sort)
[ ${#files[@]} -ge 6 ]
passed $? "there are shipped bans to look at: ${#files[@]}"

# ---- what must stand there -----------------------------------------------------------------

grep -qx '  - from: 2024-07-20T00:00:00-04:00' $bans/kaspersky.yaml
passed $? "kaspersky: the first instant is 2024-07-20T00:00:00-04:00"
grep -qx '  - from: 2024-09-29T00:00:00-04:00' $bans/kaspersky.yaml
passed $? "kaspersky: the second instant is 2024-09-29T00:00:00-04:00"
[ "$(grep -c '^  - from:' $bans/kaspersky.yaml)" = 2 ]
passed $? "kaspersky: there is no third instant"
tr -s ' \n' ' ' <$bans/kaspersky.yaml | grep -q "Use itself is not penalised, .*organisation's own decision"
passed $? "kaspersky: says that use is not penalised, and whose decision refusing is"
for ban in kaspersky kaspersky-us-ndaa-1634 kaspersky-au-pspf-002-2025; do
	grep -qx 'include: identifiers/kaspersky.yaml' $bans/$ban.yaml
	passed $? "$ban: shares the identifiers instead of copying them"
done

for file in "${files[@]}"; do
	id=${file##*/}
	id=${id%.yaml}
	grep -qx "ban: $id" "$file"
	passed $? "$id: the file is named after its ban"
	grep -q "^## .*$id\$" docs/bans.md
	passed $? "$id: docs/bans.md has a part about it"
done

bare=''
while IFS= read -r file; do
	[[ $(head -n 1 "$file") == '# SPDX-License-Identifier: MIT' ]] || bare+=" $file"
done < <(find "$bans" -name '*.yaml' -o -name '*.txt')
[ -z "$bare" ]
passed $? "every file names its licence on line 1$bare"

bare=''
while IFS= read -r file; do
	grep -qE '\b[0-9a-f]{40}\b' "$file" || bare+=" $file"
done < <(grep -rl --include='*.yaml' --include='*.txt' v2fly "$bans")
[ -z "$bare" ]
passed $? "who takes from v2fly's list names the commit$bare"
grep -q 'Copyright (c) 2018-2019 V2Ray' $bans/NOTICE
passed $? "the list's MIT notice is shipped with it"

# Others read these files by the contract: nothing but its keys.
keys='ban title authorities phases unclassified oversize rules include on_running
on_controller_loss learn malformed serial expires except id citation url acts note from exec network
sha256 authenticode certificate package buildid fsverity path domain list kind subject issuer
position reason owner until cgroup uid'
strange=$(cat "${files[@]}" $bans/identifiers/*.yaml | grep -v '^ *#' |
	sed -nE 's/^ *(- )?([a-z_0-9]+):( .*)?$/\2/p' | sort -u | grep -vxF "$(tr ' ' '\n' <<<"$keys")")
[ -z "$strange" ]
passed $? "only keys of the contract are used $strange"

# ---- what never may ------------------------------------------------------------------------

absent "no key of an AUR maintainer, or any package key" '6AFE1735|gpg|pgp'
absent "no thumbprint of an unseen certificate" 'D3F78D74|thumbprint:|^ *sha1:'
absent "no product of another vendor" 'ultraav|ultravpn|pango'
absent "nothing about the vendor's user interface kit" 'hexa-ui'
absent "no issuing authority that was not seen" 'digicert|globalsign|issuer:'
absent "no package name that was not seen" 'ksmg|kwts'
absent "the vendor's own earlier day is not a phase" '2024-09-10'
absent "no mark of an unverified fact" '\[U\]|unverified'
absent "no delivery network or developer platform of ByteDance" \
	'domain: .*(cdn|bytedance|byteoversea|ibyte|volc|akamai|snssdk|pstatp|rsproxy|arco)'
absent "no digest from a third party's mirror" \
	'afd0376a|912b0818|4625d65d|2bcb3486|f667879e|bfce8a4a'
absent "no digest without the vendor's own URL" '3851d26f|181fbc18|40921b72'
absent "no product list that was not seen" 'appendix'
absent "no number of a direction that was not confirmed" '001-2025'
[ "$(grep -c '^  - sha256:' $bans/identifiers/kaspersky.yaml)" = 11 ]
passed $? "the digests are the eleven of the vendor's own URLs"

# ---- what debar says -----------------------------------------------------------------------

has_verb() {
	"$DEBAR" help 2>&1 | grep -q "^  $1 "
}

if ! has_verb policy || ! has_verb check; then
	skip "debar reads the shipped bans" "this build lacks the verb policy or check"
	done_testing
fi

for file in "${files[@]}"; do
	words=$("$DEBAR" policy check -p "$file" 2>&1)
	passed $? "debar policy check accepts ${file#"$bans"/}"
	[ -z "$words" ] || echo "# ${words//$'\n'/$'\n'# }"
done

# verdict BAN NAME [OPTION]...: what debar check says of a name.
verdict() {
	local ban=$1 name=$2
	shift 2
	"$DEBAR" check --json -p "$bans/$ban.yaml" "$@" "$name" 2>&1 |
		sed -nE 's/.*"verdict": ?"([a-z]+)".*/\1/p'
}

says() { # VERDICT BAN NAME [OPTION]...
	local want=$1 got
	shift
	got=$(verdict "$@")
	[ "$got" = "$want" ]
	passed $? "$1: $2 ${*:3} is $want"
	[ "$got" = "$want" ] || echo "# got: $got"
}

says allow kaspersky s00.upd.kaspersky.com --at 2024-07-20T03:59:59Z
says audit kaspersky s00.upd.kaspersky.com --at 2024-07-20T04:00:00Z
says audit kaspersky s00.upd.kaspersky.com --at 2024-09-29T03:59:59Z
says deny kaspersky s00.upd.kaspersky.com --at 2024-09-29T04:00:00Z
says deny kaspersky s00.upd.kaspersky.com
says deny kaspersky ksn-url-geo.kaspersky-labs.com
says audit kaspersky www.kaspersky.com
says audit kaspersky 77.74.177.1
says audit kaspersky www.kaspersky.com.au
says allow kaspersky support.kaspersky.com
says allow kaspersky opentip.kaspersky.com
says deny kaspersky-us-ndaa-1634 opentip.kaspersky.com
says deny kaspersky-au-pspf-002-2025 opentip.kaspersky.com
says audit kaspersky-au-pspf-002-2025 s00.upd.kaspersky.com --at 2025-03-31T12:59:59Z
says deny kaspersky-au-pspf-002-2025 s00.upd.kaspersky.com --at 2025-03-31T13:00:00Z
for name in notkaspersky.com kaspersky.example.org kaspersky.com.example.org securelist.com \
	media.kasperskycontenthub.com registry.npmjs.org; do
	says allow kaspersky $name
done
says deny tiktok www.tiktok.com
says allow tiktok p16.tiktokcdn.com
says allow tiktok www.bytedance.com
says deny deepseek chat.deepseek.com
says audit optional/public-resolvers 9.9.9.9

# Files that share a name with the vendor's, and its user interface kit, run.
dir=$(mktemp -d)
mkdir -p "$dir"/node_modules/@kaspersky/{hexa-ui/esm,hexa-ui-core,hexa-ui-icons} "$dir/opt/kaspersky/kesl/bin"
echo 'export const Button = () => null' >"$dir/node_modules/@kaspersky/hexa-ui/esm/index.js"
for name in hexa-ui hexa-ui-core hexa-ui-icons; do
	echo "{\"name\": \"@kaspersky/$name\"}" >"$dir/node_modules/@kaspersky/$name/package.json"
done
printf '#!/bin/sh\nexit 0\n' | tee "$dir/kesl" >"$dir/opt/kaspersky/kesl/bin/kesl-control"
cp /bin/true "$dir/klnagent"
for file in "$dir"/node_modules/@kaspersky/{hexa-ui/esm/index.js,hexa-ui{,-core,-icons}/package.json} "$dir/kesl" \
	"$dir/opt/kaspersky/kesl/bin/kesl-control" "$dir/klnagent"; do
	got=$(verdict kaspersky "$file")
	[ "$got" = allow ]
	passed $? "kaspersky: a file named ${file#"$dir"/} elsewhere is allowed"
	[ "$got" = allow ] || echo "# got: $got"
done
rm -rf "$dir"

# What a rule says of itself outlasts the phases.
words=$("$DEBAR" check -p $bans/kaspersky.yaml --at 2024-08-01T00:00:00Z www.kaspersky.com 2>&1)
[[ $words == *'only reported since 2024-07-20T04:00:00Z'* ]]
passed $? "kaspersky: a site is reported, and not until the next phase only"
words=$("$DEBAR" policy explain -p $bans/kaspersky.yaml --at 2025-01-01T00:00:00Z www.kaspersky.com)
[[ $words == *'this rule   audited since 2024-07-20T04:00:00Z; no phase of the ban changes that'* ]]
passed $? "kaspersky: explain says so of the rule"
words=$("$DEBAR" policy explain -p $bans/kaspersky.yaml --at 2024-08-01T00:00:00Z media.kaspersky.com)
[[ $words == *'this rule   audited since 2024-07-20T04:00:00Z until 2024-09-29T04:00:00Z'* ]]
passed $? "kaspersky: and of one that the next phase changes"

words=$("$DEBAR" policy explain -p $bans/kaspersky.yaml 2>&1)
grep -q '89 FR 52434' <<<"$words"
passed $? "policy explain cites the determination"
grep -qi 'own decision' <<<"$words"
passed $? "policy explain says that refusing is the organisation's own decision"

done_testing
