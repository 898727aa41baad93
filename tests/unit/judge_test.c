/* SPDX-License-Identifier: MIT */
/* What a policy says of a thing at an instant: strictest, then first; phases; exceptions; borders. */
#include "loader/judge.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "policy/cleanup.h"
#include "policy/policy.h"
#include "tests/unit/tap.h"

#define A "aa00000000000000000000000000000000000000000000000000000000000000"
#define B "bb00000000000000000000000000000000000000000000000000000000000000"
#define C "cc00000000000000000000000000000000000000000000000000000000000000"
#define D "dd00000000000000000000000000000000000000000000000000000000000000"
#define SECOND 1000000000LL
#define DAY(n) ((1704067200LL + (n)*86400LL) * SECOND) /* days since 2024-01-01 */

static const char first[] = "ban: first\n"
			    "phases:\n"
			    "  - {from: 2024-01-11T00:00:00Z, exec: audit, network: audit}\n"
			    "  - {from: 2024-01-21T00:00:00Z, exec: deny, network: deny}\n"
			    "rules:\n"
			    "  - sha256: " A "\n" /* 0 */
			    "  - sha256: " B "\n" /* 1 */
			    "  - sha256: " C "\n" /* 2 */
			    "    exec: audit\n"
			    "  - domain: bad.example\n"	    /* 3 */
			    "  - domain: =only.example\n"   /* 4 */
			    "  - network: 203.0.113.0/24\n" /* 5 */
			    "  - network: 2001:db8::/33\n"  /* 6 */
			    "except:\n"
			    "  - {sha256: " B ", reason: tools, until: 2024-02-10T00:00:00Z}\n"
			    "  - {domain: ok.bad.example, reason: support}\n"
			    "  - {network: 203.0.113.8, reason: support}\n";

static const char second[] = "ban: second\n"
			     "rules:\n"
			     "  - sha256: " C "\n"  /* 7 */
			     "  - sha256: " B "\n"; /* 8 */

struct texts {
	const char *text[2];
};

static int read_text(void *ctx, const char *path, size_t max, char **ret_text, size_t *ret_len,
		     struct policy_error *reterr)
{
	const struct texts *texts = ctx;
	const char *text = texts->text[path[0] == '2'];

	(void)max, (void)reterr;
	*ret_text = strdup(text);
	*ret_len = strlen(text);
	return *ret_text ? 0 : -ENOMEM;
}

static struct policy_tables *compile(struct policy *policy)
{
	struct texts texts = { { first, second } };
	const struct policy_reader reader = { &texts, read_text };
	struct policy_tables *tables = NULL;
	struct policy_error error = {};

	if (policy_add(policy, &reader, "1.yaml", &error) ||
	    policy_add(policy, &reader, "2.yaml", &error) ||
	    policy_compile(policy, NULL, &tables, &error))
		printf("# %u:%u: %s\n", error.line, error.column, error.text);
	return tables;
}

/* "deny 0", "audit 2", "allow", "excepted 1", "off 0" */
static const char *words(struct verdict v, char buf[32])
{
	const char *what = v.excepted ? "excepted" : policy_action_name(v.action);

	if (v.matched)
		snprintf(buf, 32, "%s %u", what, v.rule);
	else
		snprintf(buf, 32, "%s", v.action == DEBAR_OFF ? "allow" : "broken");
	return buf;
}

static void files(const struct judge *judge)
{
	static const struct {
		const char *bytes; /* first byte of each key */
		int64_t at;
		const char *want, *what;
	} cases[] = {
		{ "\xaa", DAY(5), "off 0", "before its first phase a ban is off" },
		{ "\xaa", DAY(10) - 1, "off 0", "to the last moment" },
		{ "\xaa", DAY(10), "audit 0", "from the first moment of a phase, audit" },
		{ "\xaa", DAY(20) - 1, "audit 0", "to its last" },
		{ "\xaa", DAY(20), "deny 0", "then deny" },
		{ "\xaa", DAY(4000), "deny 0", "for good" },
		{ "\xdd", DAY(30), "allow", "what no rule names is allowed" },
		{ "", DAY(30), "allow", "and so is what has no keys" },
		{ "\xcc", DAY(30), "deny 7", "deny of a later ban beats audit of an earlier" },
		{ "\xbb", DAY(30), "deny 8", "an exception speaks for its own ban only" },
		{ "\xaa\xbb", DAY(30), "deny 8", "and excepts the file, whatever key is banned" },
		{ "\xdd\xaa", DAY(30), "deny 0", "any key will do" },
		{ "\xaa\xcc", DAY(30), "deny 0", "of two denials the first rule is named" },
		{ "\xcc\xaa", DAY(30), "deny 0", "in whatever order the keys come" },
		{ "\xaa\xbb", DAY(50), "deny 0", "an exception ends" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct debar_key keys[4] = {};
		size_t count = strlen(cases[i].bytes);
		char buf[32];

		for (size_t k = 0; k < count; k++) {
			keys[k].kind = DEBAR_KEY_SHA256;
			keys[k].value[0] = (__u8)cases[i].bytes[k];
		}
		tap_str(words(judge_file(judge, keys, count, cases[i].at), buf), cases[i].want,
			cases[i].what);
	}
}

static void kinds(const struct judge *judge)
{
	struct debar_key key = { .kind = DEBAR_KEY_BUILDID, .value = { 0xaa } };
	char buf[32];

	tap_str(words(judge_file(judge, &key, 1, DAY(30)), buf), "allow",
		"the same bytes as another kind of key are another key");
}

static void names(const struct judge *judge)
{
	static const struct {
		const char *name, *want;
	} cases[] = {
		{ "bad.example", "deny 3" },
		{ "www.bad.example", "deny 3" },
		{ "a.b.c.bad.example", "deny 3" },
		{ "notbad.example", "allow" },
		{ "bad.example.org", "allow" },
		{ "example", "allow" },
		{ "ad.example", "allow" },
		{ "ok.bad.example", "excepted 3" },
		{ "www.ok.bad.example", "excepted 3" },
		{ "notok.bad.example", "deny 3" },
		{ "only.example", "deny 4" },
		{ "www.only.example", "allow" },
		{ "", "allow" },
	};
	char buf[32];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		tap_str(words(judge_name(judge, cases[i].name, DAY(30)), buf), cases[i].want,
			cases[i].name);
	tap_str(words(judge_name(judge, "bad.example", DAY(12)), buf), "audit 3",
		"the network has phases of its own");
}

static void addresses(const struct judge *judge)
{
	static const struct {
		const char *address, *want;
	} cases[] = {
		{ "203.0.113.0", "deny 5" },	 { "203.0.113.255", "deny 5" },
		{ "203.0.112.255", "allow" },	 { "203.0.114.0", "allow" },
		{ "203.0.113.8", "excepted 5" }, { "203.0.113.9", "deny 5" },
		{ "2001:db8::1", "deny 6" },	 { "2001:db8:7fff:ffff::", "deny 6" },
		{ "2001:db8:8000::", "allow" },	 { "2001:db7::", "allow" },
		{ "cb00:7100::", "allow" }, /* the bytes of 203.0.113.0, in the other family */
	};
	char buf[32];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t address[16] = {};
		bool six = strchr(cases[i].address, ':') != NULL;

		inet_pton(six ? AF_INET6 : AF_INET, cases[i].address, address);
		tap_str(words(judge_address(judge, six ? 6 : 4, address, DAY(30)), buf),
			cases[i].want, cases[i].address);
	}
}

static void nothing(void)
{
	struct policy_tables tables = {};
	struct debar_key key = { .kind = DEBAR_KEY_SHA256 };
	struct judge *judge = NULL;
	char buf[32];

	tap_int(judge_new(&judge, &tables), 0, "a policy of nothing");
	tap_str(words(judge_file(judge, &key, 1, 0), buf), "allow", "allows every file");
	tap_str(words(judge_name(judge, "a.example", 0), buf), "allow", "and every name");
	judge_free(judge);
}

/* Neither ban says oversize or unclassified: deny, or has rules about signers. */
static void unseen(const struct judge *judge)
{
	struct debar_key but = { .value = { 0xbb }, .kind = DEBAR_KEY_SHA256 };
	struct verdict v = judge_without(judge, DEBAR_BECAUSE_NOHASH, NULL, 0, DAY(0));

	tap_ok(v.action == DEBAR_DENY && v.ban == 1, "not hashed: the ban without phases denies");
	v = judge_without(judge, DEBAR_BECAUSE_NOHASH, NULL, 0, DAY(30));
	tap_ok(v.action == DEBAR_DENY && v.ban == 0, "later, the first of both does");
	v = judge_without(judge, DEBAR_BECAUSE_NOHASH, &but, 1, DAY(30));
	tap_ok(v.action == DEBAR_DENY && v.ban == 1, "an exception of one ban leaves the other");
	v = judge_without(judge, DEBAR_BECAUSE_BUSY, NULL, 0, DAY(0));
	tap_int(v.action, DEBAR_DENY, "somebody writes to it: denied");
	v = judge_without(judge, DEBAR_BECAUSE_OVERSIZE, NULL, 0, DAY(30));
	tap_int(v.action, DEBAR_OFF, "too large: allowed");
	v = judge_without(judge, DEBAR_BECAUSE_UNCLASSIFIED, NULL, 0, DAY(30));
	tap_int(v.action, DEBAR_OFF, "not in time: allowed");
	v = judge_without(judge, DEBAR_BECAUSE_OVERFLOW, NULL, 0, DAY(30));
	tap_int(v.action, DEBAR_OFF, "too many keys: allowed, no rule asks for them");
}

int main(void)
{
	struct policy *policy = NULL;
	struct policy_tables *tables;
	struct judge *judge = NULL;

	tap_int(policy_new(&policy), 0, "a policy");
	tables = compile(policy);
	if (!tap_ok(tables && !judge_new(&judge, tables), "with tables to judge by"))
		return tap_done();
	files(judge);
	kinds(judge);
	names(judge);
	addresses(judge);
	unseen(judge);
	nothing();
	judge_free(judge);
	policy_tables_free(tables);
	policy_free(policy);
	return tap_done();
}
