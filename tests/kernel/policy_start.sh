#!/bin/bash
# SPDX-License-Identifier: MIT
# Which policy comes into force, and which does not: a broken one, a shrunken one, an unsigned one.
# What was in force stays in force.
# timeout: 500
# kernels: 6.1
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

dir=/etc/debar/policy.d
mkdir -p $dir
at_exit "rm -rf /etc/debar /var/lib/debar"
cp /usr/bin/true "$work/banned"
echo >>"$work/banned"
cp /usr/bin/true "$work/other"
printf '\n\n' >>"$work/other"
digest() {
	sha256sum <"$1" | cut -c1-64
}
policy() { # SERIAL FILE...
	local file
	printf 'ban: test\nserial: %s\nrules:\n' "$1"
	shift
	for file; do
		printf '  - sha256: %s\n' "$(digest "$file")"
	done
}

# ---- the last good policy ----
exits 2 'nothing configured' "$DEBAR" load
policy 1 "$work/banned" >$dir/test.yaml
runs 'what is configured' "$DEBAR" load
is_denied 'is in force' "$work/banned"
unload
runs 'and then is not' "$work/banned"
echo 'rulez: []' >>$dir/test.yaml
runs 'a policy broken by an edit' "$DEBAR" load
like "$errors" 'test.yaml:5:1: unknown key "rulez"' 'is named'
like "$errors" 'the last good policy is' 'and the last good one used, loudly'
is_denied 'which is in force' "$work/banned"
exits 2 'reload of a broken policy' "$DEBAR" reload
is_denied 'leaves it in force' "$work/banned"
exits 2 'a broken policy by its name' "$DEBAR" load -p $dir/test.yaml
is_denied 'leaves it in force' "$work/banned"
unload
rm $dir/test.yaml
exits 2 'a directory that was emptied' "$DEBAR" load
runs 'is none, and nothing is in force' "$work/banned"

# ---- swap safety ----
policy 1 "$work/banned" "$work/other" /usr/bin/tac >$dir/test.yaml
runs 'three rules' "$DEBAR" load
policy 1 "$work/banned" >$dir/test.yaml
exits 2 'reload of one of them' "$DEBAR" reload
like "$errors" 'the ban test would lose 2 of its 3 sha256 rules' 'says what would be lost'
like "$errors" 'debar reload --force' 'and what to do'
is_denied 'and the old policy stays' "$work/other"
runs 'reload --force' "$DEBAR" reload --force
runs 'takes it' "$work/other"
is_denied 'and what it bans is banned' "$work/banned"
{
	policy 1 "$work/banned"
	printf 'phases:\n  - {from: 2020-01-01T00:00:00Z, exec: audit, network: audit}\n'
} >$dir/test.yaml
runs 'loosening to audit is no loss' "$DEBAR" reload
runs 'and is in force' "$work/banned"
unload

# ---- signed policies ----
mkdir /etc/debar/trust.d
printf '[req]\ndistinguished_name = dn\n[dn]\n' >"$work/openssl.cnf"
runs 'a key is made' openssl req -config "$work/openssl.cnf" -x509 -newkey ec \
	-pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$work/key" -out /etc/debar/trust.d/us.pem \
	-subj /CN=us -days 2
sign_policy() {
	"$DEBAR" policy sign --key "$work/key" --certificate /etc/debar/trust.d/us.pem $dir/test.yaml
}
rm -rf /var/lib/debar
policy 2 "$work/banned" >$dir/test.yaml
exits 2 'an anchor is configured, the policy is not signed' "$DEBAR" load
like "$errors" 'test.yaml: is not signed' 'and is refused'
exits 2 'by its name, too' "$DEBAR" load -p $dir/test.yaml
exits 2 'by a controller, too' timeout 30 "$DEBAR" run
exits 2 'by its name, by a controller, too' timeout 30 "$DEBAR" run -p $dir/test.yaml
sign_policy
runs 'a signed policy' "$DEBAR" load
is_denied 'is in force' "$work/banned"
policy 1 "$work/other" >$dir/test.yaml
sign_policy
exits 2 'an older edition' "$DEBAR" reload
like "$errors" 'serial 1, and 2 was accepted before' 'is refused'
is_denied 'and the newer stays' "$work/banned"
policy 3 "$work/other" >$dir/test.yaml
exits 2 'a newer edition with an older signature' "$DEBAR" reload
like "$errors" 'its signature is refused' 'is refused'
sign_policy
runs 'signed, it is accepted' "$DEBAR" reload
is_denied 'and in force' "$work/other"
runs 'alone' "$work/banned"
{
	echo 'expires: 2020-01-01T00:00:00Z'
	policy 4 "$work/banned"
} >$dir/test.yaml
sign_policy
exits 2 'an expired edition' "$DEBAR" reload
like "$errors" 'expired at 2020-01-01T00:00:00Z' 'is refused'
is_denied 'and the old one stays' "$work/other"

# ---- expired while nothing was in force: the last good one is more than none ----
end=$(($(date +%s) + 12))
{
	echo "expires: $(date -u -d "@$end" +%FT%TZ)"
	policy 5 "$work/banned"
} >$dir/test.yaml
sign_policy
runs 'an edition that ends soon' "$DEBAR" reload
is_denied 'is in force' "$work/banned"
unload
while [ "$(date +%s)" -le $end ]; do sleep 0.5; done
runs 'at a start after its end' "$DEBAR" load
like "$errors" 'expired at' 'says what is wrong with it'
like "$errors" 'the last good policy is' 'and uses it as the last good one'
is_denied 'and in force' "$work/banned"

done_testing
