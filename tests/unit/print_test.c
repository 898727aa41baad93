/* SPDX-License-Identifier: MIT */
/* Canonical text, differences, look-ups and the rule book. */
#include "tests/unit/policy_case.h"

static struct policy *load(const char *text, const char *list)
{
	const struct policy_case c = { .text = text,
				       .files = { { .name = "*", .text = list } },
				       .force = true };
	struct policy *policy = NULL;
	struct policy_error error = {};
	char words[1024];

	if (case_load(&c, &policy, &error)) {
		tap_ok(false, "%s", policy_error_format(&error, words, sizeof(words)));
		exit(1);
	}
	return policy;
}

static const char all[] =
	"# a comment\n"
	"except:\n"
	"  - uid: 1\n"
	"    until: 2027-01-01T01:00:00+01:00\n"
	"    reason: >-\n      why\n      not\n"
	"rules:\n"
	"  - exec: audit\n"
	"    sha256: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
	"  - certificate: {serial: 00AB, subject: {serialNumber: 1027739867473, O: [A B, \"C: d\"]}}\n"
	"  - domain: \"B\xc3\xbc"
	"cher.example\"\n"
	"  - network: ::FFFF:192.0.2.0/120\n"
	"    action: audit\n"
	"  - list: l.txt\n"
	"    kind: domain\n"
	"title:   \"  two   spaces \"\n"
	"ban: x\n"
	"phases: [{network: off, exec: deny, from: 2024-09-29T00:00:00-04:00}]\n";

static const char canonical[] =
	"ban: x\n"
	"title: two spaces\n"
	"phases:\n"
	"  - from: 2024-09-29T04:00:00Z\n"
	"    exec: deny\n"
	"    network: off\n"
	"unclassified: allow\n"
	"oversize: allow\n"
	"on_running: report\n"
	"on_controller_loss: allow\n"
	"learn: false\n"
	"malformed: allow\n"
	"rules:\n"
	"  - sha256: " SHA_A "\n"
	"    exec: audit\n"
	"  - certificate: { subject: { serialNumber: \"1027739867473\", O: [A B, \"C: d\"] }, serial: \"ab\" }\n"
	"  - domain: xn--bcher-kva.example\n"
	"  - network: \"192.0.2.0/24\"\n"
	"    action: audit\n"
	"  - list: l.txt\n"
	"    kind: domain # 1 values, sha256 04e512879df7acb18392404d982a1b179e94c20b53ee03b75538624863d89e96\n"
	"except:\n"
	"  - uid: 1\n"
	"    reason: why not\n"
	"    until: 2027-01-01T00:00:00Z\n";

static void print(void)
{
	struct policy *policy = load(all, "example.org\n"), *again;
	char *text = NULL, *second = NULL;
	uint8_t digest[32], other[32];

	tap_ok(!policy_print(policy, &text, NULL), "prints");
	tap_str(text, canonical, "in canonical form");
	again = load(text, "example.org\n");
	tap_ok(!policy_print(again, &second, NULL), "prints again");
	tap_str(second, text, "what is printed is the same policy");
	tap_ok(!policy_digest(policy, digest) && !policy_digest(again, other) &&
		       !memcmp(digest, other, 32),
	       "and has the same digest");
	policy_free(again);
	again = load(all, "example.net\n");
	tap_ok(!policy_digest(again, other) && memcmp(digest, other, 32),
	       "a list's value changes the digest");
	policy_free(again);
	policy_free(policy);
	free(text);
	free(second);
}

struct diff_case {
	const char *name, *before, *after, *want;
};

/* clang-format off */
#define BASE "ban: x\nrules:\n  - path: /a\n  - path: /b\n    exec: audit\n"
static const struct diff_case diffs[] = {
	{ "nothing", BASE, BASE, "" },
	{ "order of keys and comments", BASE, "rules: [{path: /a}, {exec: audit, path: /b}]\nban: x # y\n", "" },
	{ "a rule more", BASE, BASE "  - domain: example.com\n", "ban x: rule domain example.com is new\n" },
	{ "a rule less", BASE, "ban: x\nrules:\n  - path: /a\n", "ban x: rule path /b is gone: exec audit\n" },
	{ "a verdict", BASE, "ban: x\nrules: [{path: /a}, {path: /b, exec: deny}]\n", "ban x: rule path /b is now exec deny, was exec audit\n" },
	{ "a verdict gone", BASE, "ban: x\nrules: [{path: /a}, {path: /b}]\n", "ban x: rule path /b is now as the phase says, was exec audit\n" },
	{ "a switch", BASE, BASE "unclassified: deny\n", "ban x: unclassified is now deny, was allow\n" },
	{ "an exception", BASE, BASE "except: [{uid: 7, reason: r, owner: o}]\n", "ban x: exception uid 7 is new: without end, because: r (o)\n" },
	{ "an exception's end", BASE "except: [{uid: 7, reason: r}]\n", BASE "except: [{uid: 7, reason: r, until: 2030-01-01T00:00:00Z}]\n",
	  "ban x: exception uid 7 is now until 2030-01-01T00:00:00Z, because: r, was without end, because: r\n" },
	{ "a phase", BASE, BASE "phases: [{from: 2030-01-01T00:00:00Z, exec: off, network: deny}]\n", "ban x: phase from 2030-01-01T00:00:00Z is new: exec off, network deny\n" },
	{ "an authority", BASE, BASE "authorities: [{id: a, title: t, acts: [use, supply]}]\n", "ban x: authority a is new: t, prohibits supply, use\n" },
	{ "an authority's words", BASE "authorities: [{id: a, title: t, citation: c, acts: [use], note: n}]\n",
	  BASE "authorities: [{id: a, title: t, citation: d, url: \"https://e.example\", acts: [use, supply], note: n}]\n",
	  "ban x: authority a citation is now \"d\", was \"c\"\nban x: authority a url is now \"https://e.example\", was \"\"\n"
	  "ban x: authority a acts is now supply, use, was use\n" },
	{ "a note", BASE "    note: one\n", BASE "    note: two\n", "ban x: rule path /b note is now \"two\", was \"one\"\n" },
	{ "serial and expiry", BASE "serial: 1\n", BASE "serial: 2\nexpires: 2030-01-01T00:00:00Z\n",
	  "ban x: serial is now 2, was 1\nban x: expires is now 2030-01-01T00:00:00Z, was never\n" },
	{ "another ban", BASE, "ban: y\nrules: [{path: /a}]\n", "ban x is gone with 2 path rules\nban y is new with 1 path rules\n" },
};
/* clang-format on */

static void diff(void)
{
	for (size_t i = 0; i < sizeof(diffs) / sizeof(diffs[0]); i++) {
		struct policy *before = load(diffs[i].before, ""),
			      *after = load(diffs[i].after, "");
		char *text = NULL;

		tap_ok(!policy_diff(before, after, &text), "%s: compared", diffs[i].name);
		tap_str(text, diffs[i].want, diffs[i].name);
		free(text);
		policy_free(before);
		policy_free(after);
	}
}

static void diff_list(void)
{
	static const char list[] = "ban: x\nrules:\n  - list: l.txt\n    kind: path\n";
	struct policy *before = load(list, "/a\n/b\n/c\n"), *after = load(list, "/d\n/c\n/a\n/e\n");
	char *text = NULL;

	tap_ok(!policy_diff(before, after, &text), "lists: compared");
	tap_str(text, "ban x: list l.txt of path: 2 values added, 1 removed, now 4\n", "lists");
	free(text);
	policy_free(before);
	policy_free(after);
}

static struct policy_book *book_of(const struct policy *policy)
{
	struct policy_book *book = NULL;
	char *bytes = NULL;
	size_t len = 0;

	tap_ok(!policy_book_write(policy, &bytes, &len) && !policy_book_read(bytes, len, &book),
	       "a book is written and read");
	free(bytes);
	return book;
}

static void book(void)
{
	struct policy *policy = load(all, "example.org\n");
	struct policy_book *read = book_of(policy);
	struct policy_rule_info a, b;
	int same = 0;

	for (uint32_t i = 0; i < policy_ordinals(policy); i++) {
		if (policy_rule(policy, i, &a) || policy_book_rule(read, i, &b))
			continue;
		same += !strcmp(a.ban, b.ban) && a.matcher == b.matcher && a.exec == b.exec &&
			a.network == b.network && a.place.line == b.place.line &&
			!strcmp(a.place.file, b.place.file) &&
			(a.list || !strcmp(a.value, b.value));
	}
	tap_int(same, 5, "every rule is the same in the book");
	tap_int(policy_book_rule(read, 5, &b), -ENOENT, "and no other");
	tap_int(policy_book_ban_count(read), 1, "one ban");
	tap_int(policy_book_ban(read, 0)->phases[0].from, 1727582400000000000, "with its phase");
	tap_int(policy_phase_at(policy_book_ban(read, 0), 0).exec, DEBAR_OFF, "off before it");
	policy_book_free(read);
	policy_free(policy);
}

static void bad_books(void)
{
	static const char *const books[] = {
		"",
		"debar-book\t2\n",
		"nonsense",
		"debar-book\t1\nrule\t0\n",
		"debar-book\t1\nban\tx\n",
		"debar-book\t1\nphase\t0\t1\t1\n",
		"debar-book\t1\nfoo\tx\n",
	};
	struct policy_book *read = NULL;

	for (size_t i = 0; i < sizeof(books) / sizeof(books[0]); i++)
		tap_ok(policy_book_read(books[i], strlen(books[i]), &read) < 0,
		       "a damaged book, %zu", i);
}

struct shrink_case {
	const char *name, *after, *want; /* NULL: it may be swapped */
};

/* clang-format off */
#define FOUR "ban: x\nrules: [{path: /a}, {path: /b}, {path: /c}, {path: /d}, {domain: example.com}]\n"
static const struct shrink_case shrinks[] = {
	{ "the same", FOUR, NULL },
	{ "half of a kind", "ban: x\nrules: [{path: /a}, {path: /b}, {domain: example.com}]\n", NULL },
	{ "more than half of a kind", "ban: x\nrules: [{path: /a}, {domain: example.com}]\n", "the ban x would lose 3 of its 4 path rules; if that is meant: debar reload --force" },
	{ "all of a kind", "ban: x\nrules: [{path: /a}, {path: /b}, {path: /c}, {path: /d}]\n", "the ban x would lose 1 of its 1 domain rules; if that is meant: debar reload --force" },
	{ "a ban", "ban: y\nrules: [{path: /a}]\n", "the ban x would be lost, all of its 5 rules; if that is meant: debar reload --force" },
	{ "loosened to audit", FOUR "phases: [{from: 2020-01-01T00:00:00Z, exec: audit, network: off}]\n", NULL },
	{ "other values", "ban: x\nrules: [{path: /e}, {path: /f}, {path: /g}, {path: /h}, {domain: example.org}]\n", NULL },
};
/* clang-format on */

static void shrunk(void)
{
	struct policy *before = load(FOUR, "");
	struct policy_book *old = book_of(before);

	for (size_t i = 0; i < sizeof(shrinks) / sizeof(shrinks[0]); i++) {
		struct policy *after = load(shrinks[i].after, "");
		struct policy_error error = {};

		tap_int(policy_shrunk(old, after, &error), shrinks[i].want ? -EPERM : 0,
			shrinks[i].name);
		if (shrinks[i].want)
			tap_str(error.text, shrinks[i].want, "in words");
		policy_free(after);
	}
	policy_book_free(old);
	policy_free(before);
}

struct find_case {
	const char *text;
	int count;
	int first;
};

static void find(void)
{
	static const char policy_text[] =
		"ban: x\nrules:\n  - domain: example.com\n  - domain: =touch.example.org\n"
		"  - network: 192.0.2.0/24\n  - path: /opt/a/\n  - package: kes*\n  - sha256: " SHA_A
		"\nexcept:\n  - {domain: support.example.com, reason: r, until: "
		"2030-01-01T00:00:00Z}\n";
	static const struct find_case cases[] = {
		{ "example.com", 1, 0 },
		{ "A.B.Example.COM", 1, 0 },
		{ "aexample.com", 0, 0 },
		{ "com", 0, 0 },
		{ "touch.example.org", 1, 1 },
		{ "a.touch.example.org", 0, 0 },
		{ "192.0.2.77", 1, 2 },
		{ "192.0.3.1", 0, 0 },
		{ "::ffff:192.0.2.1", 1, 2 },
		{ "/opt/a/b", 1, 3 },
		{ "/opt/ab", 0, 0 },
		{ "kesl", 1, 4 },
		{ "ke", 0, 0 },
		{ SHA_A, 1, 5 },
		{ SHA_B, 0, 0 },
		{ "", 0, 0 },
		{ "support.example.com", 1, 0 },
	};
	struct policy *policy = load(policy_text, "");

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t ordinals[4] = { 99 };
		size_t count = 9;

		tap_ok(!policy_find(policy, cases[i].text, ordinals, 4, &count) &&
			       (int)count == cases[i].count &&
			       (!count || (int)ordinals[0] == cases[i].first),
		       "rules about \"%s\"", cases[i].text);
	}
	tap_ok(policy_find_exception(policy, "x", "a.support.example.com", 0) != NULL, "excepted");
	tap_ok(!policy_find_exception(policy, "x", "example.com", 0), "not what is above");
	tap_ok(!policy_find_exception(policy, "x", "support.example.com", 1893456000000000000),
	       "nor after its end");
	tap_ok(!policy_find_exception(policy, "y", "support.example.com", 0),
	       "nor for another ban");
	policy_free(policy);
}

int main(void)
{
	print();
	diff();
	diff_list();
	book();
	bad_books();
	shrunk();
	find();
	return tap_done();
}
