/* SPDX-License-Identifier: MIT */
/* Authorities, phases and instants; lists and includes. */
#include "tests/unit/policy_case.h"

#define AUTHORITY(text) LEAST "authorities:\n  - " text "\n"
#define PHASE(text) LEAST "phases:\n  - " text "\n"
#define FROM(text) LEAST "phases:\n  - from: " text "\n    exec: deny\n    network: deny\n"
#define LIST(kind) "ban: x\nrules:\n  - list: l.txt\n    kind: " kind "\n"

/* clang-format off */
static const struct policy_case authorities[] = {
	ROW("a word", LEAST "authorities: bis\n", "4:14: \"authorities\" must be a list"),
	ROW("empty", LEAST "authorities: []\n", "4:14: \"authorities\" is empty"),
	ROW("of words", LEAST "authorities: [bis]\n", "4:15: an authority must be a mapping"),
	ROW("without an id", AUTHORITY("title: y"), "5:5: the authority has no \"id\""),
	ROW("without a title", AUTHORITY("id: y"), "5:5: the authority has no \"title\""),
	ROW("id with a space", AUTHORITY("id: a b"), "5:9: \"a b\" is not an id"),
	ROW("id twice in one", AUTHORITY("id: a\n    id: b"), "6:5: \"id\" is given twice"),
	ROW("id of another", AUTHORITY("{id: a, title: b}\n  - {id: a, title: c}"), "6:6: the authority \"a\" is given twice"),
	ROW("unknown key", AUTHORITY("id: a\n    cite: b"), "6:5: unknown key \"cite\" in an authority"),
	ROW("misspelt key", AUTHORITY("id: a\n    citaton: b"), "6:5: unknown key \"citaton\" in an authority; did you mean \"citation\"?"),
	ROW("act unknown", AUTHORITY("id: a\n    acts: [sell]"), "6:12: \"sell\" is not a value of \"acts\"; did you mean \"resell\"?"),
	ROW("act quite unknown", AUTHORITY("id: a\n    acts: [breathe]"), "6:12: \"breathe\" is not a value of \"acts\"; it is supply, update, integrate"),
	ROW("act twice", AUTHORITY("id: a\n    acts: [use, use]"), "6:17: \"use\" is given twice"),
	ROW("acts a word", AUTHORITY("id: a\n    acts: use"), "6:11: \"acts\" must be a list"),
	ROW("acts empty", AUTHORITY("id: a\n    acts: []"), "6:11: \"acts\" is empty"),
	ROW("url a word", AUTHORITY("id: a\n    url: example"), "6:10: \"example\" is not an http or https address"),
	ROW("url of a script", AUTHORITY("id: a\n    url: \"javascript:alert(1)\""), "6:10: \"javascript:alert(1)\" is not an http"),
	ROW("all of it", AUTHORITY("id: far-52.204-27\n    title: b\n    citation: c\n    url: https://example.com/\n    acts: [supply, use]\n    binds: d\n    note: e"), NULL),
};

static const struct policy_case phases[] = {
	ROW("empty", LEAST "phases: []\n", "4:9: \"phases\" is empty"),
	ROW("a word", LEAST "phases: deny\n", "4:9: \"phases\" must be a list"),
	ROW("without from", PHASE("exec: deny\n    network: deny"), "5:5: the phase has no \"from\""),
	ROW("without exec", PHASE("from: 2024-01-01T00:00:00Z\n    network: deny"), "5:5: the phase has no \"exec\""),
	ROW("without network", PHASE("from: 2024-01-01T00:00:00Z\n    exec: deny"), "5:5: the phase has no \"network\""),
	ROW("from twice", PHASE("from: 2024-01-01T00:00:00Z\n    from: 2024-01-01T00:00:00Z"), "6:5: \"from\" is given twice"),
	ROW("unknown key", PHASE("form: 2024-01-01T00:00:00Z"), "5:5: unknown key \"form\" in a phase; did you mean \"from\"?"),
	ROW("unknown action", PHASE("exec: enforce"), "5:11: \"enforce\" is not a value of \"exec\"; it is off, audit or deny"),
	ROW("boolean action", PHASE("network: false"), "5:14: \"false\" is not a value of \"network\""),
	ROW("out of order", PHASE("{from: 2024-09-29T00:00:00Z, exec: deny, network: deny}\n  - {from: 2024-07-20T00:00:00Z, exec: off, network: off}"), "6:6: the phase does not begin after the one above it"),
	ROW("at one instant", PHASE("{from: 2024-09-29T04:00:00Z, exec: audit, network: deny}\n  - {from: 2024-09-29T00:00:00-04:00, exec: deny, network: deny}"), "6:6: the phase does not begin after"),
	ROW("in the order of zones", PHASE("{from: 2024-09-29T04:00:00+02:00, exec: audit, network: deny}\n  - {from: 2024-09-29T03:00:00Z, exec: deny, network: deny}"), NULL),
	ROW("nine", LEAST "phases:\n"
	  "  - {from: 2021-01-01T00:00:00Z, exec: off, network: off}\n  - {from: 2022-01-01T00:00:00Z, exec: off, network: off}\n"
	  "  - {from: 2023-01-01T00:00:00Z, exec: off, network: off}\n  - {from: 2024-01-01T00:00:00Z, exec: off, network: off}\n"
	  "  - {from: 2025-01-01T00:00:00Z, exec: off, network: off}\n  - {from: 2026-01-01T00:00:00Z, exec: off, network: off}\n"
	  "  - {from: 2027-01-01T00:00:00Z, exec: off, network: off}\n  - {from: 2028-01-01T00:00:00Z, exec: off, network: off}\n"
	  "  - {from: 2029-01-01T00:00:00Z, exec: off, network: off}\n", "13:5: a ban has at most 8 phases"),
};

static const struct policy_case instants[] = {
	ROW("a word", FROM("tomorrow"), "5:11: \"tomorrow\": not an instant"),
	ROW("empty", FROM(""), "5:10: \"from\" has no value"),
	ROW("without a zone", FROM("2024-09-29T00:00:00"), "5:11: \"2024-09-29T00:00:00\": a time without a zone is not an instant"),
	ROW("without a time", FROM("2024-09-29"), "5:11: \"2024-09-29\": an instant has a time of day and a zone"),
	ROW("zone by name", FROM("2024-09-29T00:00:00 EDT"), "5:11: \"2024-09-29T00:00:00 EDT\": the zone must be Z or"),
	ROW("zone without minutes", FROM("2024-09-29T00:00:00-04"), "5:11: \"2024-09-29T00:00:00-04\": the zone must be"),
	ROW("zone without its colon", FROM("2024-09-29T00:00:00-0400"), "5:11: \"2024-09-29T00:00:00-0400\": the zone must be"),
	ROW("zone too far", FROM("2024-09-29T00:00:00+24:00"), "5:11: \"2024-09-29T00:00:00+24:00\": no zone is that far"),
	ROW("month 13", FROM("2024-13-01T00:00:00Z"), "5:11: \"2024-13-01T00:00:00Z\": there is no such day"),
	ROW("month 0", FROM("2024-00-01T00:00:00Z"), "5:11: \"2024-00-01T00:00:00Z\": there is no such day"),
	ROW("day 0", FROM("2024-01-00T00:00:00Z"), "5:11: \"2024-01-00T00:00:00Z\": there is no such day"),
	ROW("day 31 of April", FROM("2024-04-31T00:00:00Z"), "5:11: \"2024-04-31T00:00:00Z\": there is no such day"),
	ROW("29 February of 2023", FROM("2023-02-29T00:00:00Z"), "5:11: \"2023-02-29T00:00:00Z\": there is no such day"),
	ROW("29 February of 2100", FROM("2100-02-29T00:00:00Z"), "5:11: \"2100-02-29T00:00:00Z\": there is no such day"),
	ROW("29 February of 2024", FROM("2024-02-29T00:00:00Z"), NULL),
	ROW("29 February of 2000", FROM("2000-02-29T00:00:00Z"), NULL),
	ROW("hour 24", FROM("2024-09-29T24:00:00Z"), "5:11: \"2024-09-29T24:00:00Z\": 24:00:00 is 00:00:00 of the next day"),
	ROW("hour 25", FROM("2024-09-29T25:00:00Z"), "5:11: \"2024-09-29T25:00:00Z\": there is no such time"),
	ROW("minute 60", FROM("2024-09-29T00:60:00Z"), "5:11: \"2024-09-29T00:60:00Z\": there is no such time"),
	ROW("a leap second", FROM("2016-12-31T23:59:60Z"), "5:11: \"2016-12-31T23:59:60Z\": a leap second cannot be compared"),
	ROW("second 61", FROM("2016-12-31T23:59:61Z"), "5:11: \"2016-12-31T23:59:61Z\": there is no such time"),
	ROW("the year 10000", FROM("10000-01-01T00:00:00Z"), "5:11: \"10000-01-01T00:00:00Z\": not an instant"),
	ROW("the year 9999", FROM("9999-12-31T23:59:59Z"), "5:11: \"9999-12-31T23:59:59Z\": the year must be between"),
	ROW("the year 1969", FROM("1969-12-31T23:59:59Z"), "5:11: \"1969-12-31T23:59:59Z\": the year must be between"),
	ROW("before 1970 by its zone", FROM("1970-01-01T00:00:00+01:00"), "5:11: \"1970-01-01T00:00:00+01:00\": the instant is before 1970"),
	ROW("a fraction without digits", FROM("2024-09-29T00:00:00.Z"), "5:11: \"2024-09-29T00:00:00.Z\": a fraction of a second has one to nine"),
	ROW("a fraction of ten digits", FROM("2024-09-29T00:00:00.0123456789Z"), "5:11: \"2024-09-29T00:00:00.0123456789Z\": a fraction of a second has"),
	ROW("what follows", FROM("2024-09-29T00:00:00Zx"), "5:11: \"2024-09-29T00:00:00Zx\": the zone must be"),
	ROW("a date of another order", FROM("29.09.2024"), "5:11: \"29.09.2024\": not an instant"),
	ROW("a number", FROM("1727582400"), "5:11: \"1727582400\": not an instant"),
	ROW("a list", FROM("[2024]"), "5:11: \"from\" must be a single value, not a list"),
	ROW("a fraction", FROM("2024-09-29t00:00:00.5z"), NULL),
};

static const struct policy_case lists[] = {
	ROW("without a kind", RULE("list: l.txt"), "3:11: a list needs its kind", .files = { { "l.txt", "a" } }),
	ROW("kind unknown", LIST("hash"), "4:11: \"hash\" is not a value of \"kind\"; it is sha256, authenticode, certificate, package, buildid, fsverity, path, domain or network"),
	ROW("kind of users", LIST("uid"), "4:11: \"uid\" is not a value of \"kind\"; it is sha256, authenticode,"),
	ROW("kind twice", LIST("path") "    kind: path\n", "5:5: \"kind\" is given twice"),
	ROW("not there", LIST("sha256"), "3:11: list \"l.txt\": No such file or directory"),
	ROW("absolute", RULE("list: /etc/passwd"), "3:11: \"/etc/passwd\" is absolute; it must lie beside"),
	ROW("above", RULE("list: ../l.txt"), "3:11: \"../l.txt\" leaves the policy's directory"),
	ROW("above, within", RULE("list: a/../../l.txt"), "3:11: \"a/../../l.txt\" leaves the policy's"),
	ROW("names itself", RULE("list: p.yaml\n    kind: path"), "3:11: \"p.yaml\" is this policy itself"),
	ROW("empty", LIST("sha256"), "l.txt:1:1: the list has no values", .files = { { "l.txt", "" } }),
	ROW("comments only", LIST("sha256"), "l.txt:1:1: the list has no values", .files = { { "l.txt", "# a\n\n# b\n" } }),
	ROW("bad hex", LIST("sha256"), "l.txt:3:2: sha256: \"gaaa", .files = { { "l.txt", "# a\n" SHA_A "\n gaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n" } }),
	ROW("a short digest", LIST("sha256"), "l.txt:2:1: sha256: a sha256 has 64 hex digits, this has 2", .files = { { "l.txt", SHA_A "\nab" } }),
	ROW("two values on a line", LIST("sha256"), "l.txt:1:1: sha256: a sha256 has 64 hex digits, this has 70", .files = { { "l.txt", SHA_A " a.exe\n" } }),
	ROW("twice in the list", LIST("sha256"), "l.txt:3:1: sha256 aaaaaaa", .files = { { "l.txt", SHA_A "\n" SHA_B "\n" SHA_A "\n" } }),
	ROW("twice, forced", LIST("sha256"), NULL, .files = { { "l.txt", SHA_A "\n" SHA_A "\n" } }, .force = true),
	ROW("binary", LIST("sha256"), "l.txt:1:2: NUL byte", .files = { { "l.txt", "a\0b", 3 } }),
	ROW("invalid UTF-8", LIST("path"), "l.txt:2:2: byte 0xff is not UTF-8", .files = { { "l.txt", "/a\n/\xff\n" } }),
	ROW("a bad name", LIST("domain"), "l.txt:2:1: domain: no wildcard", .files = { { "l.txt", "example.com\n*.example.com\n" } }),
	ROW("a public suffix", LIST("domain"), "l.txt:2:1: com is a public suffix", .files = { { "l.txt", "example.com\ncom\n" } }),
	ROW("host bits", LIST("network"), "l.txt:1:1: network: bits are set", .files = { { "l.txt", "10.0.0.1/8\n" } }),
	ROW("exec of names", LIST("domain") "    exec: deny\n", "5:5: \"exec\" says nothing about a name", .files = { { "l.txt", "example.com\n" } }),
	ROW("of every form", LIST("sha256"), NULL, .files = { { "l.txt", "\xef\xbb\xbf# a\r\n\r\n  " SHA_A "  # why\r\n\t" SHA_B } }),
	ROW("of networks, with their verdict", LIST("network") "    network: audit\n", NULL, .files = { { "l.txt", "192.0.2.0/24\n2001:db8::/32\n" } }),
	ROW("of paths with #", LIST("path"), NULL, .files = { { "l.txt", "/opt/a#b\n/opt/c/ # comment\n" } }),
	ROW("of authenticode", LIST("authenticode"), NULL, .files = { { "l.txt", SHA_A "\n" SHA1_A "\n" } }),
	ROW("of certificates", LIST("certificate"), NULL, .files = { { "l.txt", SHA_A "\n" } }),
	ROW("of packages and build-ids", LIST("package") "  - list: m.txt\n    kind: buildid\n", NULL, .files = { { "l.txt", "kesl\nkesl-*\n" }, { "m.txt", SHA1_A } }),
};

static const struct policy_case includes[] = {
	ROW("not there", "ban: x\ninclude: a.yaml\n", "2:10: include \"a.yaml\": No such file or directory"),
	ROW("absolute", "ban: x\ninclude: /a.yaml\n", "2:10: \"/a.yaml\" is absolute"),
	ROW("above", "ban: x\ninclude: ../a.yaml\n", "2:10: \"../a.yaml\" leaves the policy's directory"),
	ROW("itself", "ban: x\ninclude: p.yaml\n", "2:10: \"p.yaml\" includes itself"),
	ROW("in a circle", "ban: x\ninclude: a.yaml\n", "a.yaml:1:10: \"p.yaml\" includes itself through other files", .files = { { "a.yaml", "include: p.yaml\n" } }),
	ROW("in a wider circle", "ban: x\ninclude: a.yaml\n", "b.yaml:1:10: \"a.yaml\" includes itself through", .files = { { "a.yaml", "include: b.yaml\n" }, { "b.yaml", "include: a.yaml\n" } }),
	ROW("too deep", "ban: x\ninclude: d/a.yaml\n", "d/d/d/d/d/d/d/d/a.yaml:1:10: files include one another more than 8 deep", .files = { { "*", "include: d/a.yaml\n" } }),
	ROW("the same twice", "ban: x\ninclude: [a.yaml, a.yaml]\n", "2:19: \"a.yaml\" is included twice", .files = { { "a.yaml", "rules: []" } }),
	ROW("a ban in it", "ban: x\ninclude: a.yaml\n", "a.yaml:1:1: unknown key \"ban\" in a file of rules", .files = { { "a.yaml", LEAST } }),
	ROW("exceptions in it", "ban: x\ninclude: a.yaml\n", "a.yaml:1:1: unknown key \"except\" in a file of rules", .files = { { "a.yaml", "except: []" } }),
	ROW("empty", "ban: x\ninclude: a.yaml\n", "a.yaml:1:1: the file is empty", .files = { { "a.yaml", "" } }),
	ROW("nothing in it", "ban: x\ninclude: a.yaml\n", "a.yaml:1:1: the policy has no \"rules\"", .files = { { "a.yaml", "{}" } }),
	ROW("an error in it", "ban: x\ninclude: a.yaml\n", "a.yaml:2:11: path: the path must begin with /", .files = { { "a.yaml", "rules:\n  - path: a\n" } }),
	ROW("twice by two files", LEAST "include: a.yaml\n", "a.yaml:1:9: sha256 aaaaaaa", .files = { { "a.yaml", "rules: [{sha256: " SHA_A "}]\n" } }),
	ROW("a list", "ban: x\ninclude: {a: b}\n", "2:10: \"include\" must be a single value, not a mapping"),
	ROW("empty list", "ban: x\ninclude: []\n", "2:10: \"include\" is empty"),
	ROW("alone", "ban: x\ninclude: d/a.yaml\n", NULL, .files = { { "d/a.yaml", "rules:\n  - list: l.txt\n    kind: path\n" }, { "d/l.txt", "/opt/a/\n" } }),
	ROW("several", LEAST "include: [a.yaml, b.yaml]\n", NULL, .files = { { "a.yaml", "rules: [{sha256: " SHA_B "}]\n" }, { "b.yaml", "rules: [{path: /a}]\n" } }),
};
/* clang-format on */

int main(void)
{
	CASES_RUN(authorities);
	CASES_RUN(phases);
	CASES_RUN(instants);
	CASES_RUN(lists);
	CASES_RUN(includes);
	return tap_done();
}
