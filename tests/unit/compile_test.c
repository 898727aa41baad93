/* SPDX-License-Identifier: MIT */
/* The model into tables: what the kernel gets is what the text says. */
#include <openssl/sha.h>

#include "tests/unit/policy_case.h"

static struct policy *load(const struct policy_case *c)
{
	struct policy *policy = NULL;
	struct policy_error error = {};
	char text[1024];

	if (!tap_ok(!case_load(c, &policy, &error), "%s: accepted", c->name))
		printf("# %s\n", policy_error_format(&error, text, sizeof(text)));
	return policy;
}

static struct policy_tables *compile(const struct policy *policy, const struct policy_facts *facts)
{
	struct policy_tables *tables = NULL;
	struct policy_error error = {};

	tap_ok(!policy_compile(policy, facts, &tables, &error), "compiles");
	return tables;
}

/* The match of a key of this kind whose value begins with @byte, or NULL. */
static const struct debar_match *match_of(const struct policy_tables *t, int kind, int byte,
					  int nth)
{
	for (size_t i = 0; i < t->key_count; i++)
		if (t->keys[i].kind == kind && t->keys[i].value[0] == byte && t->keys[i].nth == nth)
			return &t->matches[i];
	return NULL;
}

static void kinds(void)
{
	const struct policy_case c = {
		.name = "a rule of every kind",
		.text = "ban: x\nrules:\n"
			"  - sha256: " SHA_A "\n"
			"  - authenticode: " SHA_B "\n"
			"  - authenticode: cccccccccccccccccccccccccccccccccccccccc\n"
			"  - certificate: { sha256: " SHA_A " }\n"
			"  - certificate: { sha256: " SHA_B ", position: any }\n"
			"  - buildid: abababababababab\n"
			"  - buildid: " SHA_A SHA_B "\n"
			"  - fsverity: sha256:" SHA_A "\n"
			"  - package: kesl\n"
			"  - path: /opt/kaspersky/\n"
			"    exec: audit\n"
			"  - domain: Example.com\n"
			"    network: audit\n"
			"  - domain: =a.example.org\n"
			"  - network: ::ffff:192.0.2.0/120\n"
			"  - network: 2001:db8::/32\n"
			"    action: audit\n",
	};
	struct policy *policy = load(&c);
	struct policy_tables *t = compile(policy, NULL);
	const struct debar_match *m;
	__u8 digest[32];

	tap_int(t->key_count, 11, "keys, the any position counts twice");
	tap_ok(match_of(t, DEBAR_KEY_SHA256, 0xaa, 0) != NULL, "sha256");
	tap_ok(match_of(t, DEBAR_KEY_AUTHENTICODE, 0xbb, 0) != NULL, "authenticode");
	tap_ok(match_of(t, DEBAR_KEY_AUTHENTICODE_SHA1, 0xcc, 0) != NULL, "authenticode sha1");
	tap_ok(match_of(t, DEBAR_KEY_CERT_LEAF, 0xaa, 0) != NULL, "certificate, leaf");
	tap_ok(match_of(t, DEBAR_KEY_CERT_CHAIN, 0xaa, 0) == NULL, "leaf is not chain");
	tap_ok(match_of(t, DEBAR_KEY_CERT_CHAIN, 0xbb, 0) != NULL, "any is chain");
	tap_ok(match_of(t, DEBAR_KEY_CERT_LEAF, 0xbb, 0) != NULL, "any is leaf, too");
	tap_ok(match_of(t, DEBAR_KEY_BUILDID, 0xab, 0) != NULL, "build-id");
	tap_ok(match_of(t, DEBAR_KEY_FSVERITY, 0xaa, 0) != NULL, "fs-verity");
	SHA256((const unsigned char *)"kesl", 4, digest);
	tap_ok(match_of(t, DEBAR_KEY_PACKAGE, digest[0], 0) != NULL, "package is a hash");
	SHA256((const unsigned char *)"/opt/kaspersky/", 15, digest);
	m = match_of(t, DEBAR_KEY_PATH, digest[0], 0);
	tap_ok(m && m->exec == DEBAR_AUDIT && m->network == DEBAR_INHERIT,
	       "path, with its verdict");
	for (size_t i = 0; i < t->key_count; i++)
		if (t->keys[i].kind == DEBAR_KEY_AUTHENTICODE_SHA1)
			tap_ok(t->keys[i].value[20] == 0 && t->keys[i].value[31] == 0,
			       "a short digest is padded with zeroes");
	tap_int(t->name_count, 2, "names");
	tap_str(t->names[0].name, "example.com", "lower case");
	tap_ok(!t->names[0].exact && t->names[0].match.network == DEBAR_AUDIT, "and what is below");
	tap_ok(t->names[1].exact, "this name only");
	tap_int(t->network_count, 2, "networks");
	tap_ok(t->networks[0].family == 4 && t->networks[0].prefix == 24 &&
		       !memcmp(t->networks[0].address, "\xc0\x00\x02\x00", 4),
	       "an IPv4 address in IPv6 is IPv4");
	tap_ok(t->networks[1].family == 6 && t->networks[1].prefix == 32 &&
		       t->networks[1].match.network == DEBAR_AUDIT,
	       "action is the verdict of a network");
	tap_int(t->head.flags,
		DEBAR_POLICY_DERIVED | DEBAR_POLICY_PATHS | DEBAR_POLICY_NAMES |
			DEBAR_POLICY_NETWORKS | DEBAR_POLICY_EXEC | DEBAR_POLICY_PLACES,
		"flags of the head");
	tap_int(t->head.key_count, 11, "keys in the head");
	tap_int(t->bans[0].flags, DEBAR_BAN_DERIVED | DEBAR_BAN_FILES, "flags of the ban");
	policy_tables_free(t);
	policy_free(policy);
}

static void bans(void)
{
	const struct policy_case c = {
		.name = "phases and exceptions",
		.text = LEAST "phases:\n"
			      "  - {from: 2024-07-20T00:00:00-04:00, exec: audit, network: off}\n"
			      "  - {from: 2024-09-29T00:00:00-04:00, exec: deny, network: audit}\n"
			      "unclassified: deny\noversize: deny\non_running: kill\n"
			      "on_controller_loss: deny\nlearn: true\nmalformed: deny\n"
			      "except:\n"
			      "  - {uid: 4242, reason: a}\n"
			      "  - {uid: 4242, reason: b, until: 2027-01-01T00:00:00Z}\n"
			      "  - {sha256: " SHA_B ", reason: c, until: 2027-01-01T00:00:00Z}\n"
			      "  - {cgroup: /a.slice/, reason: d}\n"
			      "  - {domain: =support.example.com, reason: e}\n"
			      "  - {network: 198.51.100.0/24, reason: f}\n",
		.force = true, /* one user is excepted twice: the longer wins */
	};
	struct policy *policy = load(&c);
	struct policy_tables *t = compile(policy, NULL);
	const struct policy_ban *ban = policy_ban_get(policy, 0);
	const struct debar_ban *b = &t->bans[0];
	uint32_t uid;

	tap_int(b->phase_count, 2, "phases");
	tap_int(b->phases[0].from, 1721448000000000000, "2024-07-20T04:00:00Z");
	tap_int(b->phases[1].from, 1727582400000000000, "2024-09-29T04:00:00Z");
	tap_int(policy_phase_at(ban, 1727582399999999999).exec, DEBAR_AUDIT, "a nanosecond before");
	tap_int(policy_phase_at(ban, 1727582400000000000).exec, DEBAR_DENY, "at the instant");
	tap_int(policy_phase_at(ban, 0).exec, DEBAR_OFF, "before the first phase: off");
	tap_ok(policy_phase_next(ban, 0) == &ban->phases[0], "the next phase");
	tap_ok(!policy_phase_next(ban, 1727582400000000000), "none follows the last");
	tap_int(b->flags,
		DEBAR_BAN_UNCLASSIFIED_DENY | DEBAR_BAN_OVERSIZE_DENY | DEBAR_BAN_KILL |
			DEBAR_BAN_LOSS_DENY | DEBAR_BAN_LEARN | DEBAR_BAN_MALFORMED_DENY |
			DEBAR_BAN_EXCEPTS_TASK | DEBAR_BAN_EXCEPTS_KEY | DEBAR_BAN_EXCEPTS_NAME |
			DEBAR_BAN_FILES,
		"flags of the ban");
	tap_int(t->except_count, 2, "exceptions by key");
	memcpy(&uid, t->except_keys[0].value, sizeof(uid));
	tap_ok(t->except_keys[0].kind == DEBAR_KEY_UID && uid == 4242, "uid");
	tap_int(t->excepts[0].until, DEBAR_FOREVER, "of two exceptions the one that lasts");
	tap_int(t->excepts[1].until, 1798761600000000000, "until");
	tap_int(t->cgroup_count, 1, "cgroups");
	tap_str(t->cgroups[0].path, "/a.slice", "without the slash at its end");
	tap_ok(t->name_except_count == 1 && t->name_excepts[0].exact, "excepted name");
	tap_str(t->name_excepts[0].name, "support.example.com", "without its =");
	tap_ok(t->network_except_count == 1 && t->network_excepts[0].prefix == 24,
	       "excepted network");
	policy_tables_free(t);
	policy_free(policy);
}

/* Two bans of one digest, and a rule with a verdict of its own. */
static void several(void)
{
	const struct policy_case first = { .name = "first",
					   .text = RULE("sha256: " SHA_B "\n  - sha256: " SHA_A) };
	const struct policy_case second = {
		.name = "second",
		.text = "ban: y\nrules:\n  - sha256: " SHA_A "\n  - sha256: " SHA_A
			"\n    exec: audit\n  - sha256: " SHA_A "\n",
	};
	struct policy_reader reader = { (void *)&first, case_read };
	const struct policy_checks checks = { .force = true };
	struct policy_error error = {};
	struct policy_tables *t;
	struct policy *policy = NULL;
	const struct debar_match *m;

	tap_ok(!policy_new(&policy) && !policy_add(policy, &reader, "p.yaml", &error), "first");
	reader.ctx = (void *)&second;
	tap_ok(!policy_add(policy, &reader, "p.yaml", &error) &&
		       !policy_check(policy, &checks, &error),
	       "second");
	t = compile(policy, NULL);
	tap_int(t->key_count, 4, "the same rule of the same ban is one");
	m = match_of(t, DEBAR_KEY_SHA256, 0xaa, 0);
	tap_ok(m && m->ban == 0 && m->rule == 1 && m->more, "first the first ban's");
	m = match_of(t, DEBAR_KEY_SHA256, 0xaa, 1);
	tap_ok(m && m->ban == 1 && m->rule == 2 && m->more, "then the second's");
	m = match_of(t, DEBAR_KEY_SHA256, 0xaa, 2);
	tap_ok(m && m->ban == 1 && m->rule == 3 && m->exec == DEBAR_AUDIT && !m->more,
	       "then the one with its own verdict");
	m = match_of(t, DEBAR_KEY_SHA256, 0xbb, 0);
	tap_ok(m && !m->more, "the only one of its key");
	policy_tables_free(t);
	policy_free(policy);
}

static void twice(void)
{
	const struct policy_case c = { .text = LEAST };
	const struct policy_reader reader = { (void *)&c, case_read };
	const struct policy_checks checks = { .force = true };
	struct policy_error error = {};
	struct policy *policy = NULL;

	tap_ok(!policy_new(&policy) && !policy_add(policy, &reader, "p.yaml", &error) &&
		       !policy_add(policy, &reader, "p.yaml", &error),
	       "one file added twice");
	tap_ok(policy_check(policy, &checks, &error) < 0, "is refused, also when forced");
	tap_str(error.text, "the ban \"x\" is given twice, first in p.yaml:1", "in words");
	policy_free(policy);
}

/* Rules that are more than a value are compiled against what was seen. */
static void learnt(void)
{
	const struct policy_case c = {
		.name = "rules that need facts",
		.text = "ban: x\nrules:\n"
			"  - certificate: { subject: { O: [Other, Example  corp] } }\n"
			"  - certificate: { issuer: { CN: CA }, serial: 00Ab, position: any }\n"
			"  - package: kesl*\n",
		.force = true,
	};
	static const __u8 first[32] = { 1 }, second[32] = { 2 };
	const struct policy_attribute subject[] = { { "C", "DE" }, { "O", "EXAMPLE Corp" } };
	const struct policy_attribute like[] = { { "O", "Example Corp Ltd" }, { "CN", "Other" } };
	const struct policy_attribute issuer[] = { { "CN", "ca" } };
	const struct policy_cert_facts certs[] = {
		{ .subject_count = 2, .subject = subject, .sha256 = first },
		{ .subject_count = 2, .subject = like, .sha256 = second },
		{ .issuer_count = 1,
		  .issuer = issuer,
		  .serial = "00AB",
		  .key = { .kind = DEBAR_KEY_CERT_ISSUER_SERIAL, .value = { 3 } } },
		{ .issuer_count = 1, .issuer = issuer, .serial = "ab01", .sha256 = second },
	};
	const char *packages[] = { "kesl", "kesl-gui", "kes", "xkesl" };
	const struct policy_content contents[] = { { "kesl", { 4 } }, { "kes", { 5 } } };
	const struct policy_facts facts = { 4, certs, 4, packages, 2, contents };
	struct policy *policy = load(&c);
	struct policy_tables *t = compile(policy, NULL);
	uint32_t rule = 99;

	tap_int(t->key_count, 0, "nothing seen: no keys");
	tap_ok(t->head.flags & DEBAR_POLICY_DERIVED, "and yet there are such rules");
	policy_tables_free(t);
	t = compile(policy, &facts);
	tap_int(t->key_count, 5, "two signers, two packages, one content");
	tap_ok(match_of(t, DEBAR_KEY_SHA256, 4, 0) != NULL, "of a package that is banned");
	tap_ok(match_of(t, DEBAR_KEY_SHA256, 5, 0) == NULL, "not of another");
	tap_ok(policy_names_package(policy, "kesl-gui") && !policy_names_package(policy, "kes"),
	       "rules name packages by their prefix");
	tap_ok(match_of(t, DEBAR_KEY_CERT_LEAF, 1, 0) != NULL,
	       "a subject, whatever its case and spaces");
	tap_ok(match_of(t, DEBAR_KEY_CERT_LEAF, 2, 0) == NULL, "not a look-alike");
	tap_ok(match_of(t, DEBAR_KEY_CERT_ISSUER_SERIAL, 3, 0) != NULL,
	       "issuer and serial of a signature without a certificate");
	tap_ok(policy_cert_banned(policy, &certs[2], &rule) && rule == 1, "and which rule it was");
	tap_ok(!policy_cert_banned(policy, &certs[1], &rule), "a look-alike meets no rule");
	tap_ok(!policy_cert_banned(policy, &certs[3], &rule), "another serial meets no rule");
	policy_tables_free(t);
	policy_free(policy);
}

/*
 * What a signature that leaves its certificate out would call it: believed where the rule says so
 * itself, and not because some file's certificate does, which anybody could have made.
 */
static void other_names(void)
{
	const struct policy_case c = {
		.name = "rules about certificates that are left out",
		.text = "ban: x\nrules:\n"
			"  - certificate: { subject: { O: Vendor } }\n"
			"  - certificate: { issuer: { CN: CA }, serial: 02 }\n"
			"  - certificate: { sha256: " SHA_A " }\n"
			"  - certificate: { serial: 04 }\n",
		.force = true,
	};
	static const __u8 sha_a[32] = { [0 ... 31] = 0xaa }, other[32] = { 9 };
	const struct policy_attribute vendor[] = { { "O", "Vendor" } }, ca[] = { { "CN", "CA" } };
#define NAMES(n, kind_, ...)                                                                       \
	{                                                                                          \
		.issuer_count = 1, .issuer = ca,                                                   \
		.key = { .kind = DEBAR_KEY_CERT_##kind_, .value = { n } }, __VA_ARGS__             \
	}
	const struct policy_cert_facts certs[] = {
		NAMES(1, ISSUER_SERIAL, .serial = "01", .subject_count = 1, .subject = vendor,
		      .sha256 = other),
		NAMES(2, ISSUER_SERIAL, .serial = "02", .sha256 = other),
		NAMES(3, ISSUER_SERIAL, .serial = "03", .sha256 = sha_a),
		NAMES(5, KEYID, .serial = "03", .sha256 = sha_a),
		NAMES(6, KEYID, .serial = "02", .sha256 = other),
		NAMES(7, ISSUER_SERIAL, .serial = "04", .sha256 = other),
		NAMES(8, ISSUER_SERIAL, .serial = "04"),
	};
#undef NAMES
	const struct policy_facts facts = { .cert_count = 7, .certs = certs };
	struct policy *policy = load(&c);
	struct policy_tables *t = compile(policy, &facts);

	tap_ok(!match_of(t, DEBAR_KEY_CERT_ISSUER_SERIAL, 1, 0),
	       "by subject: what it is called is not believed");
	tap_ok(match_of(t, DEBAR_KEY_CERT_LEAF, 9, 0) != NULL, "itself it is known");
	tap_ok(match_of(t, DEBAR_KEY_CERT_ISSUER_SERIAL, 2, 0) != NULL,
	       "by issuer and serial: it is, the rule says it");
	tap_ok(match_of(t, DEBAR_KEY_CERT_ISSUER_SERIAL, 3, 0) &&
		       match_of(t, DEBAR_KEY_CERT_KEYID, 5, 0),
	       "by its sha256: no other one is meant, by both names");
	tap_ok(!match_of(t, DEBAR_KEY_CERT_KEYID, 6, 0), "a key identifier is in no rule");
	tap_ok(!match_of(t, DEBAR_KEY_CERT_ISSUER_SERIAL, 7, 0), "a serial alone is anybody's");
	tap_ok(match_of(t, DEBAR_KEY_CERT_ISSUER_SERIAL, 8, 0) != NULL,
	       "but of a signature it is what it says");
	policy_tables_free(t);
	policy_free(policy);
}

static void unsupported(void)
{
	const struct policy_case c = { .name = "two kinds",
				       .text = RULE("sha256: " SHA_A "\n  - path: /a") };
	struct policy *policy = load(&c);
	struct policy_error error = {};

	tap_int(policy_unsupported(policy, 1u << POLICY_SHA256, &error), -EOPNOTSUPP,
		"what is not enforced is refused");
	tap_ok(error.line == 4 && error.column == 5, "at its place");
	tap_str(error.text, "path rules are not supported yet", "in words");
	tap_int(policy_unsupported(policy, 1u << POLICY_SHA256 | 1u << POLICY_PATH, &error), 0,
		"what is enforced is not");
	policy_free(policy);
}

static void ordinals(void)
{
	const struct policy_case c = {
		.name = "a list between rules",
		.text = "ban: x\nrules:\n  - path: /a\n  - list: l.txt\n    kind: sha256\n"
			"    note: feed\n    exec: audit\n  - path: /b\n",
		.files = { { .name = "l.txt", .text = "# c\n" SHA_A "\n\n" SHA_B "\n" } },
	};
	struct policy *policy = load(&c);
	struct policy_rule_info rule;

	tap_int(policy_ordinals(policy), 6, "a rule each, and each line of the list");
	tap_ok(!policy_rule(policy, 0, &rule) && rule.place.line == 3, "the rule before");
	tap_int(policy_rule(policy, 1, &rule), -ENOENT, "a comment is no rule");
	tap_ok(!policy_rule(policy, 2, &rule) && rule.list && rule.place.line == 2 &&
		       rule.exec == DEBAR_AUDIT,
	       "an entry, at its line of the list");
	tap_str(rule.place.file, "l.txt", "in the list");
	tap_str(rule.value, SHA_A, "with its value");
	tap_str(rule.note, "feed", "and the list's note");
	tap_ok(!policy_rule(policy, 4, &rule) && rule.place.line == 4, "the last entry");
	tap_ok(!policy_rule(policy, 5, &rule) && rule.place.line == 8, "the rule after");
	tap_int(policy_rule(policy, 6, &rule), -ENOENT, "nothing follows");
	policy_free(policy);
}

int main(void)
{
	kinds();
	bans();
	several();
	twice();
	learnt();
	other_names();
	unsupported();
	ordinals();
	return tap_done();
}
