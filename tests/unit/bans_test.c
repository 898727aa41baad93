/* SPDX-License-Identifier: MIT */
/*
 * The shipped bans say what docs/bans.md says of them: they parse, they hold so many rules of each
 * kind, they change at the instants that the authorities name, they know the vendor's signatures,
 * and they leave alone what only looks like them.
 */
#include <strings.h>

#include "tests/unit/shipped.h"

/* ---- what each ban holds ------------------------------------------------------------------ */

struct expected {
	const char *path;
	const char *id;
	uint32_t rules[POLICY_MATCHER_MAX];
	size_t authorities, exceptions, phases;
	int64_t from[2]; /* seconds */
	bool audit_first;
	bool prohibits_use;
};

#define KASPERSKY(own)                                                                             \
	{                                                                                          \
		[POLICY_CERTIFICATE] = 3, [POLICY_SHA256] = 11, [POLICY_PACKAGE] = 12,             \
		[POLICY_PATH] = 2, [POLICY_DOMAIN] = 25 + 2 + 34 + (own), [POLICY_NETWORK] = 13    \
	}

static const struct expected all[] = {
	{
		.path = BANS "kaspersky.yaml",
		.id = "kaspersky",
		.rules = KASPERSKY(0),
		.authorities = 1,
		.exceptions = 3,
		.phases = 2,
		.from = { 1721448000, 1727582400 }, /* 2024-07-20 and -09-29, 04:00Z */
		.audit_first = true,
	},
	{
		.path = BANS "kaspersky-us-ndaa-1634.yaml",
		.id = "kaspersky-us-ndaa-1634",
		.rules = KASPERSKY(2),
		.authorities = 2,
		.exceptions = 1,
		.phases = 1,
		.from = { 1538366400 }, /* 2018-10-01T04:00Z */
		.prohibits_use = true,
	},
	{
		.path = BANS "kaspersky-au-pspf-002-2025.yaml",
		.id = "kaspersky-au-pspf-002-2025",
		.rules = KASPERSKY(2),
		.authorities = 1,
		.exceptions = 1,
		.phases = 2,
		.from = { 1740056400, 1743426000 }, /* 2025-02-20 and -03-31, 13:00Z */
		.audit_first = true,
		.prohibits_use = true,
	},
	{
		.path = BANS "tiktok.yaml",
		.id = "tiktok",
		.rules = { [POLICY_DOMAIN] = 14 },
		.authorities = 2,
		.phases = 1,
		.from = { 1685678400 }, /* 2023-06-02T04:00Z */
		.prohibits_use = true,
	},
	{
		.path = BANS "deepseek.yaml",
		.id = "deepseek",
		.rules = { [POLICY_DOMAIN] = 1 },
		.authorities = 1,
		.phases = 1,
		.from = { 1738303200 }, /* 2025-01-31T06:00Z */
		.prohibits_use = true,
	},
	{
		.path = BANS "optional/public-resolvers.yaml",
		.id = "public-resolvers",
		.rules = { [POLICY_DOMAIN] = 23, [POLICY_NETWORK] = 18 },
	},
};

static void test_phases(const struct expected *want, const struct policy_ban *ban)
{
	for (size_t i = 0; i < want->phases && i < ban->phase_count; i++) {
		enum debar_action action = i == 0 && want->audit_first ? DEBAR_AUDIT : DEBAR_DENY;

		tap_int(ban->phases[i].from, want->from[i] * SECOND, "the phase begins on time");
		tap_ok(ban->phases[i].exec == action && ban->phases[i].network == action,
		       "%s phase %zu is %s", want->id, i, policy_action_name(action));
	}
}

static void test_authorities(const struct expected *want, const struct policy_ban *ban)
{
	bool use = false, cited = true;

	for (size_t i = 0; i < ban->authority_count; i++) {
		const struct policy_authority *authority = &ban->authorities[i];

		use |= (authority->acts >> POLICY_ACT_USE) & 1;
		cited &= authority->citation && authority->url && authority->acts &&
			 authority->note && !strncmp(authority->note, "Binds ", 6);
	}
	tap_ok(cited, "%s: every authority has a citation, an address, acts and whom it binds",
	       want->id);
	tap_ok(use == want->prohibits_use, "%s: use is %s", want->id,
	       want->prohibits_use ? "prohibited" : "not prohibited");
}

/* Every rule says where it comes from. */
static void test_notes(const char *id, const struct policy *policy)
{
	struct policy_rule_info rule;
	uint32_t ordinal = 0;
	bool noted = true;

	for (; !policy_rule(policy, ordinal, &rule); ordinal++)
		noted &= rule.note && rule.note[0];
	tap_ok(ordinal && noted, "%s: each of %u rules has a note", id, ordinal);
}

static void test_networks(const char *id, const struct policy_tables *tables)
{
	bool audited = true;

	for (size_t i = 0; i < tables->network_count; i++)
		audited &= tables->networks[i].match.network == DEBAR_AUDIT;
	tap_ok(audited, "%s: networks are audited only", id);
}

/* ---- certificates and packages ------------------------------------------------------------ */

struct signer_case {
	struct policy_attribute subject[3];
	bool banned;
};

static const struct signer_case signers[] = {
	{ { { "CN", "AO Kaspersky Lab" }, { "O", "AO Kaspersky Lab" } }, true },
	{ { { "serialNumber", "1027739867473" }, { "O", "A new name" } }, true },
	{ { { "O", "Kaspersky Lab JSC" } }, true },
	{ { { "O", "Kaspersky Lab ZAO" } }, true },
	{ { { "CN", "Kaspersky Lab" } }, true },
	{ { { "O", "Kaspersky Labs" } }, false },
	{ { { "O", "AO Kaspersky Lab Friends" } }, false },
	{ { { "O", "Not Kaspersky Lab" } }, false },
	{ { { "O", "Kaspersky" } }, false },
	{ { { "OU", "AO Kaspersky Lab" } }, false },
	{ { { "serialNumber", "1027739867474" } }, false },
	{ { { "serialNumber", "01027739867473" } }, false },
	{ { { "O", "Pango Inc." }, { "CN", "UltraAV" } }, false },
	{ { { "O", "Microsoft Corporation" } }, false },
};

static void test_signers(const struct policy *policy)
{
	for (size_t i = 0; i < COUNT(signers); i++) {
		struct policy_cert_facts facts = {
			.subject = signers[i].subject,
			.key.kind = DEBAR_KEY_CERT_LEAF,
		};
		uint32_t rule;

		while (facts.subject_count < COUNT(signers[i].subject) &&
		       signers[i].subject[facts.subject_count].name)
			facts.subject_count++;
		tap_ok(policy_cert_banned(policy, &facts, &rule) == signers[i].banned,
		       "a signer with %s=%s is %s", facts.subject[0].name, facts.subject[0].value,
		       signers[i].banned ? "banned" : "left alone");
		/* As issuer it is somebody else's certificate. */
		facts.issuer = facts.subject;
		facts.issuer_count = facts.subject_count;
		facts.subject_count = 0;
		tap_ok(!policy_cert_banned(policy, &facts, &rule), "%s=%s as issuer is left alone",
		       facts.issuer[0].name, facts.issuer[0].value);
	}
}

/* The vendor's interface kit for npm, and programs that share a word, have no rule. */
static void test_files(const struct policy *policy)
{
	static const char *const left_alone[] = { "hexa-ui", "kesl-exporter", "ultraav",
						  "opentip", "node",	      "kics-scanner" };
	struct policy_rule_info rule;
	bool found = false, exact = true;

	for (uint32_t i = 0; !policy_rule(policy, i, &rule); i++) {
		if (rule.matcher != POLICY_PACKAGE && rule.matcher != POLICY_PATH)
			continue;
		exact &= rule.matcher != POLICY_PACKAGE || !strchr(rule.value, '*');
		exact &= rule.matcher != POLICY_PATH || strstr(rule.value, "/opt/kaspersky/");
		for (size_t j = 0; j < COUNT(left_alone); j++)
			found |= strcasestr(rule.value, left_alone[j]) != NULL;
		if (rule.matcher == POLICY_PACKAGE && !strcmp(rule.value, "kics"))
			tap_ok(rule.exec == DEBAR_AUDIT, "package kics is audited only");
	}
	tap_ok(exact, "packages are named exactly, paths lie below opt/kaspersky");
	tap_ok(!found, "no package and no path is somebody else's");
}

/* ---- all of them ------------------------------------------------------------------------- */

static void test_ban(const struct expected *want)
{
	cleanup(shipped_close) struct shipped ban = shipped_open(1, &want->path);
	const struct policy_ban *got;

	if (!ban.tables)
		return;
	got = policy_ban_get(ban.policy, 0);
	tap_str(got->id, want->id, "the ban's id is its file's name");
	for (int i = 0; i < POLICY_MATCHER_MAX; i++) {
		char what[64];

		(void)snprintf(what, sizeof(what), "%s: rules by %s", want->id,
			       policy_matcher_name((enum policy_matcher)i));
		tap_int(got->rules[i], want->rules[i], what);
	}
	tap_int((long long)policy_exception_count(ban.policy), (long long)want->exceptions,
		"exceptions");
	tap_int((long long)got->authority_count, (long long)want->authorities, "authorities");
	tap_int((long long)got->phase_count, (long long)want->phases, "phases");
	tap_ok(!got->unclassified_deny && !got->kill && !got->loss_deny && !got->learn,
	       "%s: refuses nothing unknown, kills nothing, learns nothing", want->id);
	test_phases(want, got);
	test_authorities(want, got);
	test_notes(want->id, ban.policy);
	test_networks(want->id, ban.tables);
	if (!want->rules[POLICY_CERTIFICATE])
		return;
	test_signers(ban.policy);
	test_files(ban.policy);
}

/* As verbs that only look load them when no policy is named: they do not get in each other's way. */
static void test_together(void)
{
	const char *paths[COUNT(all)];
	cleanup(shipped_close) struct shipped bans = {};

	for (size_t i = 0; i < COUNT(all); i++)
		paths[i] = all[i].path;
	bans = shipped_open(COUNT(all), paths);
	tap_ok(bans.tables && bans.tables->ban_count == COUNT(all), "all bans load at once");
}

int main(void)
{
	for (size_t i = 0; i < COUNT(all); i++)
		test_ban(&all[i]);
	test_together();
	return tap_done();
}
