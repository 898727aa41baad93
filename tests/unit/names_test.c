// SPDX-License-Identifier: MIT
/*
 * Names and networks: what the compiler of the tables makes is what the kernel's own look-up, built
 * here from its source, finds; and nothing that only looks alike.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "bpf/dns.bpf.h"
#include "bpf/names.bpf.h"
#include "policy/cleanup.h"
#include "policy/names.h"
#include "policy/networks.h"
#include "policy/policy.h"
#include "tests/unit/tap.h"

/* The tables under test. */
static const struct names_tables *table;

static inline void *net_buckets(__u32 slot)
{
	(void)slot;
	return table->buckets;
}

static inline void *net_pool(__u32 slot)
{
	(void)slot;
	return table->chunks;
}

static inline void *net_rules(__u32 slot)
{
	(void)slot;
	return table->rules;
}

/* What was met, as bits by rule; the kernel's judgement has its own. */
static inline void net_rule_met(struct net_look *look, const struct debar_net_rule *rule)
{
	__u64 *met = look->verdict;

	if (rule->flags & DEBAR_NET_EXACT && (look->label || look->name->cut))
		return;
	if (rule->flags & DEBAR_NET_EXCEPT)
		*met |= 1ULL << 63;
	else
		*met |= 1ULL << (rule->rule & 31);
}

static const __u8 seed[16] = "no randomness...";

static __u64 look_up(const struct names_tables *tables, const char *text)
{
	struct name name = { .seed = tables->head.seed, .multiplier = tables->head.multiplier };
	struct text ring = {};
	__u64 met = 0;
	struct net_look look = {
		.name = &name,
		.verdict = &met,
		.head = &tables->head,
	};
	size_t len = strlen(text);

	table = tables;
	for (size_t i = 0; i < len; i++)
		ring.bytes[i % TEXT_SIZE] = text[i];
	if (tables->head.buckets && debar_name_text(&name, &ring, len))
		names_look(&look);
	return met;
}

static struct policy_name rule(const char *name, bool exact, __u32 ordinal)
{
	return (struct policy_name){ .name = name, .exact = exact, .match = { .rule = ordinal } };
}

static void test_names(void)
{
	struct policy_name names[] = {
		rule("kaspersky.com", false, 0),
		rule("touch.example.com", true, 1),
		rule("kaspersky.com", false, 2),
		rule("a.very.long.name.that.needs.more.than.one.chunk.of.the.pool.example.net",
		     false, 3),
		rule("example.org", false, 4),
	};
	struct policy_name_except excepts[] = { { .name = "support.kaspersky.com" } };
	struct policy_tables tables = {
		.names = names, .name_count = 5, .name_excepts = excepts, .name_except_count = 1
	};
	struct names_tables *built = NULL;
	static const struct {
		const char *name;
		__u64 met;
	} cases[] = {
		{ "kaspersky.com", 5 },
		{ "KasperSky.COM", 5 },
		{ "kaspersky.com.", 5 },
		{ "dl.kaspersky.com", 5 },
		{ "a.b.c.d.e.f.kaspersky.com", 5 },
		{ "support.kaspersky.com", 5 | 1ULL << 63 },
		{ "x.support.kaspersky.com", 5 | 1ULL << 63 },
		{ "notkaspersky.com", 0 },
		{ "kaspersky.com.example.com", 0 },
		{ "kaspersky.co", 0 },
		{ "kaspersky.comm", 0 },
		{ "akaspersky.com", 0 },
		{ "com", 0 },
		{ "", 0 },
		{ ".", 0 },
		{ "touch.example.com", 2 },
		{ "x.touch.example.com", 0 },
		{ "example.com", 0 },
		{ "a.very.long.name.that.needs.more.than.one.chunk.of.the.pool.example.net", 8 },
		{ "x.a.very.long.name.that.needs.more.than.one.chunk.of.the.pool.example.net", 8 },
		{ "b.very.long.name.that.needs.more.than.one.chunk.of.the.pool.example.net", 0 },
		{ "a.very.long.name.that.needs.more.than.one.chunk.of.the.pool.example.nex", 0 },
		{ "kaspersky.com.example.org", 16 },
	};

	tap_ok(!names_build(&tables, seed, &built), "five rules and an exception make tables");
	for (size_t i = 0; built && i < sizeof(cases) / sizeof(*cases); i++)
		tap_ok(look_up(built, cases[i].name) == cases[i].met, "\"%s\" meets %#llx",
		       cases[i].name, (unsigned long long)cases[i].met);
	names_free(built);
}

/* Text longer than a name can be: its end decides, and no rule for a whole name. */
static void test_overlong(void)
{
	struct policy_name names[] = { rule("kaspersky.com", false, 0) };
	struct policy_tables tables = { .names = names, .name_count = 1 };
	struct names_tables *built = NULL;
	char text[2048];

	tap_ok(!names_build(&tables, seed, &built), "one rule makes tables");
	for (size_t len = 240; built && len < 2000; len += 97) {
		memset(text, 'x', len);
		strcpy(text + len, ".kaspersky.com");
		tap_ok(look_up(built, text) == 1, "%zu bytes above a banned name", len);
	}
	names_free(built);
}

/* Many names: each is found, none of as many that are not there. */
static void test_many(void)
{
	enum {
		COUNT = 200000
	};
	struct policy_name *names = calloc(COUNT, sizeof(*names));
	char(*text)[32] = calloc(COUNT, sizeof(*text)), other[40];
	struct policy_tables tables = { .names = names, .name_count = COUNT };
	struct names_tables *built = NULL;
	size_t found = 0, wrong = 0;

	for (size_t i = 0; i < COUNT; i++) {
		snprintf(text[i], sizeof(text[i]), "n%07zu.example.com", (i * 7919) % COUNT);
		names[i] = rule(text[i], false, 1);
	}
	tap_ok(!names_build(&tables, seed, &built), "%d names make tables", COUNT);
	for (size_t i = 0; built && i < COUNT; i++) {
		snprintf(other, sizeof(other), "m%07zu.example.com", i);
		found += look_up(built, text[i]) == 2;
		wrong += look_up(built, other) != 0;
	}
	tap_ok(found == COUNT, "each of %d is found (%zu)", COUNT, found);
	tap_ok(!wrong, "none of as many others (%zu)", wrong);
	if (built) {
		size_t bytes = built->bucket_count * sizeof(*built->buckets) +
			       built->chunk_count * sizeof(*built->chunks) +
			       built->rule_count * sizeof(*built->rules);

		tap_ok(bytes / COUNT <= 120, "%zu bytes a rule", bytes / COUNT);
	}
	names_free(built);
	free(names);
	free(text);
}

static void test_refused(void)
{
	struct policy_name names[300];
	struct policy_tables tables = { .names = names, .name_count = 300 };
	static const char *const bad[] = {
		"",	".",
		"a..b", ".a",
		"a.",	"0123456789012345678901234567890123456789012345678901234567890123.example"
	};
	struct names_tables *built = NULL;
	__u8 wire[DEBAR_NAME_MAX];

	for (int i = 0; i < 300; i++)
		names[i] = rule("example.com", false, i);
	tap_ok(names_build(&tables, seed, &built) == -E2BIG, "300 rules of one name are too many");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		tap_ok(names_to_wire(bad[i], wire) == -EINVAL, "\"%s\" is no name", bad[i]);
}

/* ---- networks ------------------------------------------------------------------------------ */

static struct policy_network network(const char *text, int prefix, __u32 ordinal)
{
	struct policy_network net = { .prefix = prefix, .match = { .rule = ordinal } };

	net.family = strchr(text, ':') ? 6 : 4;
	inet_pton(net.family == 6 ? AF_INET6 : AF_INET, text, net.address);
	return net;
}

/* As the kernel's tree: the longest network that holds the address. */
static __u64 look_address(const struct names_tables *tables, const char *text)
{
	__u8 family = strchr(text, ':') ? 6 : 4, bytes[16] = {};
	struct debar_address address;
	const struct debar_network *best = NULL;
	__u32 longest = 0;
	__u64 met = 0;

	inet_pton(family == 6 ? AF_INET6 : AF_INET, text, bytes);
	address = networks_address(family, bytes);
	for (size_t i = 0; i < tables->network_count; i++) {
		const struct debar_network_key *key = &tables->network_keys[i];
		const __u8 *a = (const __u8 *)&key->address, *b = (const __u8 *)&address;
		__u32 bits = key->prefix, same = 0;

		while (same < bits && !((a[same / 8] ^ b[same / 8]) >> (7 - same % 8) & 1))
			same++;
		if (same == bits && bits >= longest) {
			longest = bits;
			best = &tables->networks[i];
		}
	}
	for (__u32 i = 0; best && i < best->count; i++)
		met |= tables->rules[best->first + i].flags & DEBAR_NET_EXCEPT ?
			       1ULL << 63 :
			       1ULL << tables->rules[best->first + i].rule;
	return met;
}

static void test_networks(void)
{
	struct policy_network nets[] = {
		network("10.0.0.0", 8, 0),	     network("10.1.0.0", 16, 1),
		network("10.1.2.3", 32, 2),	     network("2001:db8::", 32, 3),
		network("::ffff:192.0.2.0", 120, 4), network("64:ff9b::203.0.113.7", 128, 5),
		network("10.1.0.0", 16, 6),
	};
	struct policy_network_except excepts[] = {
		{ .family = 4, .prefix = 24, .address = { 10, 1, 2 } }
	};
	struct policy_tables tables = { .networks = nets,
					.network_count = 7,
					.network_excepts = excepts,
					.network_except_count = 1 };
	struct names_tables *built = NULL;
	static const struct {
		const char *address;
		__u64 met;
	} cases[] = {
		{ "10.2.3.4", 1 },
		{ "10.1.9.9", 1 | 2 | 64 },
		{ "10.1.2.4", 1 | 2 | 64 | 1ULL << 63 },
		{ "10.1.2.3", 1 | 2 | 4 | 64 | 1ULL << 63 },
		{ "11.0.0.0", 0 },
		{ "9.255.255.255", 0 },
		{ "::ffff:10.2.3.4", 1 },
		{ "64:ff9b::10.2.3.4", 1 },
		{ "2001:db8::1", 8 },
		{ "2001:db9::1", 0 },
		{ "192.0.2.77", 16 },
		{ "192.0.3.77", 0 },
		{ "203.0.113.7", 32 },
		{ "203.0.113.8", 0 },
		{ "::10.2.3.4", 0 },
		{ "::1", 0 },
	};

	tap_ok(!names_build(&tables, seed, &built), "seven networks make tables");
	tap_ok(built->head.seed && built->head.multiplier & 1,
	       "without a name, what is remembered of addresses has a key all the same");
	for (size_t i = 0; built && i < sizeof(cases) / sizeof(*cases); i++)
		tap_ok(look_address(built, cases[i].address) == cases[i].met, "%s meets %#llx",
		       cases[i].address, (unsigned long long)cases[i].met);
	names_free(built);
}

int main(void)
{
	test_names();
	test_overlong();
	test_many();
	test_refused();
	test_networks();
	return tap_done();
}
