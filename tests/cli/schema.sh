#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The schema for editors and the parser agree: on a policy that says everything, and on that policy
# with each part in turn taken away, replaced by something of another type, or given an unknown key.
set -u
cd "$(dirname "$0")/../.." || exit
# shellcheck source=tests/tap.sh
. tests/tap.sh
[ -x "$DEBAR" ] || skip_all "there is no $DEBAR"

printf '%s\n' "$(printf '%064d' 7)" >"$work/list.txt"
printf 'rules:\n  - path: /included\n' >"$work/include.yaml"
cat >"$work/full.json" <<'END'
{ "ban": "full", "title": "Everything",
  "authorities": [ { "id": "a-1.2", "title": "T", "citation": "C", "url": "https://example.com/",
    "acts": ["supply", "use"], "binds": "B", "note": "N" } ],
  "phases": [ { "from": "2024-07-20T00:00:00-04:00", "exec": "audit", "network": "off" } ],
  "unclassified": "deny", "oversize": "deny", "on_running": "kill", "on_controller_loss": "deny",
  "learn": true, "malformed": "deny", "serial": 7, "expires": "2100-01-01T00:00:00Z",
  "include": ["include.yaml"],
  "rules": [
    { "sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "note": "N", "exec": "audit" },
    { "authenticode": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "action": "deny" },
    { "certificate": { "subject": { "O": ["A", "B"], "serialNumber": "1", "1.2.3": "x" }, "issuer": { "CN": "C" },
      "serial": "0aBc", "sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
      "sha1": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
      "spki_sha256": "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc", "position": "any" } },
    { "package": "kesl*" }, { "buildid": "0123456789abcdef" },
    { "fsverity": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
    { "path": "/opt/x/" }, { "domain": "=a.example.com", "network": "audit" },
    { "network": "192.0.2.0/24" }, { "network": "2001:db8::1", "action": "audit" },
    { "list": "list.txt", "kind": "sha256" } ],
  "except": [
    { "uid": 7, "reason": "R", "owner": "O", "until": "2100-01-01T00:00:00Z" },
    { "cgroup": "/a.slice", "reason": "R" }, { "domain": "b.example.com", "reason": "R" },
    { "network": "198.51.100.7", "reason": "R" } ] }
END

# What each change is called, and the changed policy, one a line.
# shellcheck disable=SC2016
changes='
def changed($what; f): { what: $what, doc: f };
. as $doc
| changed("as it is"; $doc),
  ($doc | paths | . as $path | ($path | map(tostring) | join(".")) as $at
	| changed("\($at) taken away"; $doc | delpaths([$path])),
	  changed("\($at) a mapping"; $doc | setpath($path; { zz: "y" })),
	  changed("\($at) a wrong word"; $doc | setpath($path; "*_*")),
	  (select($doc | getpath($path) | type == "array") | changed("\($at) empty"; $doc | setpath($path; []))),
	  (select($doc | getpath($path) | type == "string") | changed("\($at) empty"; $doc | setpath($path; ""))),
	  (select($doc | getpath($path) | type == "object")
		| changed("\($at) with another key"; $doc | setpath($path + ["zz"]; "y"))))'
jq -c "$changes" "$work/full.json" >"$work/changes"
jq -c .doc "$work/changes" | jq --slurpfile schema policy/debar-policy.schema.json -f tests/cli/schema.jq \
	>"$work/verdicts" || not_ok "the schema is one that can be applied"
[ "$(wc -l <"$work/changes")" -eq "$(wc -l <"$work/verdicts")" ] || not_ok "a verdict for each change"

# Prose may be any words, and a name of a file may be any name: what is wrong with them is not form.
free='(title|citation|binds|note|reason|owner|O\.[01]|serialNumber|1\.2\.3|CN|include(\.0)?|list|path|acts)'
while IFS=$'\t' read -r what doc && read -r verdict <&3; do
	[[ $what =~ $free' a wrong word'$ ]] && continue
	printf '%s' "$doc" >"$work/doc.yaml"
	"$DEBAR" policy check --force "$work/doc.yaml" >"$work/said" 2>&1 && parsed=true || parsed=false
	if [ "$parsed" = "$verdict" ]; then
		ok "$what: $verdict"
	else
		not_ok "$what: schema and parser agree" "schema $verdict, parser $parsed: $(head -n 1 "$work/said")"
	fi
done < <(jq -r '[.what, (.doc | tojson)] | join("\t")' "$work/changes") 3<"$work/verdicts"

done_testing
