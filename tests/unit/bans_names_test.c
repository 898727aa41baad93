/* SPDX-License-Identifier: MIT */
/*
 * Names and the shipped bans: which are refused once every phase has come, which are audited, and
 * which are left alone although they look alike. The list that the Kaspersky names were taken from
 * is covered to the last line.
 */
#include "tests/unit/shipped.h"

static bool name_below(const char *name, const char *rule, bool exact)
{
	size_t len = strlen(name), below = strlen(rule);

	if (len == below)
		return !strcmp(name, rule);
	return !exact && len > below && name[len - below - 1] == '.' &&
	       !strcmp(name + len - below, rule);
}

/* What the tables make of a name once every phase has come; OFF when no rule has it. */
static enum debar_action judge_name(const struct policy_tables *tables, const char *name)
{
	enum debar_action action = DEBAR_OFF;

	for (size_t i = 0; i < tables->name_except_count; i++)
		if (name_below(name, tables->name_excepts[i].name, tables->name_excepts[i].exact))
			return DEBAR_OFF;
	for (size_t i = 0; i < tables->name_count; i++) {
		const struct policy_name *rule = &tables->names[i];
		enum debar_action own = rule->match.network ? rule->match.network : DEBAR_DENY;

		if (name_below(name, rule->name, rule->exact) && own > action)
			action = own;
	}
	return action;
}

struct name_case {
	const char *ban;
	const char *name;
	enum debar_action action;
};

static const struct name_case names[] = {
	/* The determination leaves them lawful, or they are needed for removal. */
	{ BANS "kaspersky.yaml", "opentip.kaspersky.com", DEBAR_OFF },
	{ BANS "kaspersky.yaml", "tip.kaspersky.com", DEBAR_OFF },
	{ BANS "kaspersky.yaml", "support.kaspersky.com", DEBAR_OFF },
	/* Activation, updates, KSN, downloads. */
	{ BANS "kaspersky.yaml", "activation-v2.kaspersky.com", DEBAR_DENY },
	{ BANS "kaspersky.yaml", "s19.upd.kaspersky.com", DEBAR_DENY },
	{ BANS "kaspersky.yaml", "downloads.upd.kaspersky.com", DEBAR_DENY },
	{ BANS "kaspersky.yaml", "cm.k.kaspersky-labs.com", DEBAR_DENY },
	{ BANS "kaspersky.yaml", "ksn-url-geo.kaspersky-labs.com", DEBAR_DENY },
	{ BANS "kaspersky.yaml", "products.s.kaspersky-labs.com", DEBAR_DENY },
	{ BANS "kaspersky.yaml", "pdc1.fra5.pdc.kaspersky.com", DEBAR_DENY },
	/* The rest. */
	{ BANS "kaspersky.yaml", "kaspersky.com", DEBAR_AUDIT },
	{ BANS "kaspersky.yaml", "crl.kaspersky.com", DEBAR_AUDIT },
	{ BANS "kaspersky.yaml", "touch.kaspersky.com", DEBAR_AUDIT },
	{ BANS "kaspersky.yaml", "www.kaspersky.de", DEBAR_AUDIT },
	{ BANS "kaspersky.yaml", "support.kaspersky.ru", DEBAR_AUDIT },
	/* Look-alikes, and sites elsewhere. */
	{ BANS "kaspersky.yaml", "notkaspersky.com", DEBAR_OFF },
	{ BANS "kaspersky.yaml", "kaspersky.com.example.org", DEBAR_OFF },
	{ BANS "kaspersky.yaml", "kaspersky.example.org", DEBAR_OFF },
	{ BANS "kaspersky.yaml", "my-kaspersky-labs.com", DEBAR_OFF },
	{ BANS "kaspersky.yaml", "media.kasperskycontenthub.com", DEBAR_OFF },
	{ BANS "kaspersky.yaml", "securelist.com", DEBAR_OFF },
	{ BANS "kaspersky.yaml", "registry.npmjs.org", DEBAR_OFF },
	{ BANS "kaspersky.yaml", "co.uk", DEBAR_OFF },
	{ BANS "kaspersky-us-ndaa-1634.yaml", "tip.kaspersky.com", DEBAR_DENY },
	{ BANS "kaspersky-us-ndaa-1634.yaml", "support.kaspersky.com", DEBAR_OFF },
	{ BANS "kaspersky-au-pspf-002-2025.yaml", "opentip.kaspersky.com", DEBAR_DENY },
	{ BANS "kaspersky-au-pspf-002-2025.yaml", "s00.upd.kaspersky.com", DEBAR_DENY },
	{ BANS "tiktok.yaml", "www.tiktok.com", DEBAR_DENY },
	{ BANS "tiktok.yaml", "api.tiktokv.com", DEBAR_DENY },
	{ BANS "tiktok.yaml", "api2.musical.ly", DEBAR_AUDIT },
	{ BANS "tiktok.yaml", "p16.tiktokcdn.com", DEBAR_OFF },
	{ BANS "tiktok.yaml", "bytedance.com", DEBAR_OFF },
	{ BANS "tiktok.yaml", "byteoversea.com", DEBAR_OFF },
	{ BANS "tiktok.yaml", "rsproxy.cn", DEBAR_OFF },
	{ BANS "tiktok.yaml", "p16-tiktokcdn-com.akamaized.net", DEBAR_OFF },
	{ BANS "tiktok.yaml", "notiktok.com", DEBAR_OFF },
	{ BANS "deepseek.yaml", "api.deepseek.com", DEBAR_DENY },
	{ BANS "deepseek.yaml", "huggingface.co", DEBAR_OFF },
	{ BANS "deepseek.yaml", "deepseek.ai", DEBAR_OFF },
	{ BANS "optional/public-resolvers.yaml", "mozilla.cloudflare-dns.com", DEBAR_DENY },
	{ BANS "optional/public-resolvers.yaml", "www.cloudflare.com", DEBAR_OFF },
	{ BANS "optional/public-resolvers.yaml", "www.google.com", DEBAR_OFF },
};

static void test_names(const char *path)
{
	cleanup(shipped_close) struct shipped ban = shipped_open(1, &path);

	if (!ban.tables)
		return;
	for (size_t i = 0; i < COUNT(names); i++)
		if (!strcmp(names[i].ban, path))
			tap_ok(judge_name(ban.tables, names[i].name) == names[i].action, "%s is %s",
			       names[i].name, policy_action_name(names[i].action));
}

/* The one host of the list that serves neither updates, activation, KSN nor downloads. */
#define REVOCATION "crl.kaspersky.com"

static void test_published(void)
{
	const char *path = BANS "kaspersky.yaml";
	cleanup(shipped_close) struct shipped ban = shipped_open(1, &path);
	cleanup(close_file) FILE *list = fopen("tests/data/published/kaspersky.txt", "re");
	int hosts = 0, suffixes = 0;
	char line[256];

	if (!tap_ok(list && ban.tables, "the published list can be read"))
		return;
	while (fgets(line, sizeof(line), list)) {
		bool host = !strncmp(line, "full:", 5);
		const char *name = line + (host ? 5 : 0);
		enum debar_action want = DEBAR_AUDIT;

		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#')
			continue;
		if (host && strcmp(name, REVOCATION) != 0)
			want = DEBAR_DENY;
		hosts += host;
		suffixes += !host;
		tap_ok(judge_name(ban.tables, name) == want, "published: %s is %s", name,
		       policy_action_name(want));
	}
	tap_int(suffixes, 36, "suffixes in the list");
	tap_int(hosts, 96, "hosts in the list");
}

int main(void)
{
	for (size_t i = 0; i < COUNT(names); i++)
		if (!i || strcmp(names[i].ban, names[i - 1].ban) != 0)
			test_names(names[i].ban);
	test_published();
	return tap_done();
}
