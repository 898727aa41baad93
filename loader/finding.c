/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "loader/examine.h"
#include "loader/finding.h"
#include "loader/identity/identity.h"
#include "loader/report.h"
#include "policy/cleanup.h"

/* ::ffff:a.b.c.d and NAT64's 64:ff9b::a.b.c.d are IPv4 addresses in another dress. */
static bool is_v4_inside(const uint8_t address[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };

	return memcmp(address, mapped, 12) == 0 || memcmp(address, nat64, 12) == 0;
}

static bool address_read(struct finding *finding, const char *text)
{
	if (inet_pton(AF_INET, text, finding->address) == 1) {
		finding->family = 4;
	} else if (inet_pton(AF_INET6, text, finding->address) == 1) {
		finding->family = 6;
		if (is_v4_inside(finding->address)) {
			finding->family = 4;
			memmove(finding->address, finding->address + 12, 4);
			memset(finding->address + 4, 0, 12);
		}
	} else {
		return false;
	}
	inet_ntop(finding->family == 4 ? AF_INET : AF_INET6, finding->address, finding->name,
		  sizeof(finding->name));
	return true;
}

static int name_read(struct finding *finding, const char *text, const char **reterr_words)
{
	size_t len = strlen(text);

	if (len && text[len - 1] == '.')
		len--; /* the root, which every name ends with */
	if (!strchr(text, '.')) {
		*reterr_words = "is neither a file here, nor a name, nor an address";
		return -ENOENT;
	}
	return policy_domain_normalise(text, len, finding->name, reterr_words);
}

int finding_read(struct finding *ret_finding, const struct packages *packages, const char *text,
		 const char **reterr_words)
{
	struct finding finding = { .text = text };
	int err;

	if (!*text) {
		*reterr_words = "an empty word names nothing";
		return -EINVAL;
	}
	if (strchr(text, '/') || faccessat(AT_FDCWD, text, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		finding.kind = FINDING_FILE;
		err = examine_file(&finding.file, packages, text, reterr_words);
	} else if (address_read(&finding, text)) {
		finding.kind = FINDING_ADDRESS;
		err = 0;
	} else {
		finding.kind = FINDING_NAME;
		err = name_read(&finding, text, reterr_words);
	}
	if (!err)
		*ret_finding = finding;
	return err;
}

void finding_release(struct finding *finding)
{
	examine_free(finding->file);
	finding->file = NULL;
}

bool finding_banned(const struct finding *finding)
{
	return finding->verdict.action >= DEBAR_AUDIT;
}

/* ---- why ---------------------------------------------------------------------------------- */

/* "its sha256 cf124a7d...", "the name www.kaspersky.com": what met the rule. */
static void key_words(const struct finding *finding, char *buf, size_t size)
{
	static const char *const owners[] = {
		[DEBAR_KEY_CERT_LEAF] = "its signer's certificate",
		[DEBAR_KEY_CERT_CHAIN] = "a certificate above its signer's",
		[DEBAR_KEY_CERT_ISSUER_SERIAL] = "its signer's issuer and serial",
		[DEBAR_KEY_CERT_KEYID] = "its signer's key identifier",
		[DEBAR_KEY_AUTHENTICODE] = "its Authenticode digest",
		[DEBAR_KEY_AUTHENTICODE_SHA1] = "its Authenticode digest",
		[DEBAR_KEY_BUILDID] = "its build-id",
		[DEBAR_KEY_FSVERITY] = "its fs-verity digest",
		[DEBAR_KEY_PACKAGE] = "its package",
		[DEBAR_KEY_PATH] = "its path",
		[DEBAR_KEY_SHA256] = "its sha256",
		[DEBAR_KEY_KIND_MAX] = NULL,
	};
	const struct debar_key *key = &finding->verdict.key;
	const char *owner = key->kind < DEBAR_KEY_KIND_MAX ? owners[key->kind] : NULL;
	char value[POLICY_VALUE_MAX];

	if (finding->kind != FINDING_FILE) {
		snprintf(buf, size, "the %s %s", finding->kind == FINDING_NAME ? "name" : "address",
			 finding->name);
		return;
	}
	report_key_value(key, &finding->rule, value, sizeof(value));
	if (key->kind == DEBAR_KEY_SHA256 && finding->rule.matcher == POLICY_PACKAGE)
		owner = "its sha256, that of a package's file,";
	snprintf(buf, size, "%s %s", owner ? owner : "a key of it", value);
}

/* "rule kaspersky.yaml:31 (kesl.deb) of ban kaspersky" */
static void rule_words(const struct finding *finding, char *buf, size_t size)
{
	const struct policy_rule_info *rule = &finding->rule;

	snprintf(buf, size, "%s:%u%s%s%s of ban %s", rule->place.file, rule->place.line,
		 rule->note ? " (" : "", rule->note ? rule->note : "", rule->note ? ")" : "",
		 rule->ban);
}

/* When it began that the rule, or the ban without one, does this; or, while it is less than denied, ends. */
static void phase_words(const struct finding *finding, const struct policy *policy, int64_t utc,
			char *buf, size_t size)
{
	const struct policy_ban *ban = policy_ban_get(policy, finding->verdict.ban);
	bool network = finding->kind != FINDING_FILE;
	enum debar_action own = DEBAR_INHERIT;
	int64_t since, until;
	char instant[32];

	buf[0] = '\0';
	if (finding->known && finding->without == DEBAR_BECAUSE_RULE)
		own = network ? finding->rule.network : finding->rule.exec;
	policy_phase_span(ban, network, own, utc, &since, &until);
	if (finding->verdict.action != DEBAR_DENY && until != DEBAR_FOREVER)
		snprintf(buf, size, " until %s", policy_instant_format(until, instant, 32));
	else if (since != INT64_MIN)
		snprintf(buf, size, " since %s", policy_instant_format(since, instant, 32));
}

static void because_nothing(struct finding *finding, const struct policy *policy)
{
	size_t bans = policy_ban_count(policy);

	if (finding->kind == FINDING_FILE)
		snprintf(finding->because, sizeof(finding->because),
			 "no rule names any of its keys (%zu %s looked at)", bans,
			 bans == 1 ? "ban" : "bans");
	else
		snprintf(finding->because, sizeof(finding->because),
			 "no rule names it%s (%zu %s looked at)",
			 finding->kind == FINDING_NAME ? " or a name above it" : "", bans,
			 bans == 1 ? "ban" : "bans");
}

static void because_fill(struct finding *finding, const struct policy *policy, int64_t utc)
{
	static const char *const done[] = {
		[DEBAR_AUDIT] = "only reported",
		[DEBAR_DENY] = "denied",
	};
	const struct verdict *v = &finding->verdict;
	char key[1024], rule[768], phase[64] = "";

	if (v->matched)
		phase_words(finding, policy, utc, phase, sizeof(phase));
	if (finding->without == DEBAR_BECAUSE_OVERSIZE) {
		snprintf(finding->because, sizeof(finding->because),
			 "it is above %llu MiB, too large to be hashed when it is to run, and ban "
			 "%s says oversize: deny: %s%s",
			 DEBAR_HASH_MAX >> 20, finding->ban, done[v->action], phase);
		return;
	}
	if (finding->without != DEBAR_BECAUSE_RULE) {
		snprintf(finding->because, sizeof(finding->because),
			 "%s, and ban %s looks at them: %s%s",
			 report_because_words(finding->without), finding->ban, done[v->action],
			 phase);
		return;
	}
	if (!v->matched || !finding->known) {
		because_nothing(finding, policy);
		return;
	}
	key_words(finding, key, sizeof(key));
	rule_words(finding, rule, sizeof(rule));
	if (v->excepted)
		snprintf(finding->because, sizeof(finding->because),
			 "%s is banned by %s, but an exception of that ban lets it pass", key,
			 rule);
	else if (v->action < DEBAR_AUDIT)
		snprintf(finding->because, sizeof(finding->because),
			 "%s is named by %s, which is off%s", key, rule, phase);
	else
		snprintf(finding->because, sizeof(finding->because), "%s is banned by %s: %s%s",
			 key, rule, done[v->action], phase);
}

/* What could be run, and is refused for what nobody can know about it, though no rule names it. */
static enum debar_because without_keys(const struct identity *identity)
{
	switch (identity->type) {
	case IDENTITY_ELF:
	case IDENTITY_MODULE:
	case IDENTITY_PE:
	case IDENTITY_SCRIPT:
		if (identity->size > DEBAR_HASH_MAX)
			return DEBAR_BECAUSE_OVERSIZE;
		return identity->keys.overflow ? DEBAR_BECAUSE_OVERFLOW : DEBAR_BECAUSE_RULE;
	default:
		return DEBAR_BECAUSE_RULE;
	}
}

static void file_judge(struct finding *finding, const struct judge *judge, int64_t utc)
{
	const struct examined *file = finding->file;
	enum debar_because because = without_keys(file->identity);
	struct verdict without;

	finding->verdict = judge_file(judge, file->keys, file->key_count, utc);
	if (because == DEBAR_BECAUSE_RULE)
		return;
	without = judge_without(judge, because, file->keys, file->key_count, utc);
	if (without.action > finding->verdict.action) {
		finding->verdict = without;
		finding->without = because;
	}
}

int finding_judge(struct finding *finding, const struct policy *policy, const struct judge *judge,
		  int64_t utc)
{
	int err = 0;

	finding->without = DEBAR_BECAUSE_RULE;
	switch (finding->kind) {
	case FINDING_FILE:
		file_judge(finding, judge, utc);
		break;
	case FINDING_NAME:
		finding->verdict = judge_name(judge, finding->name, utc);
		break;
	default:
		finding->verdict = judge_address(judge, finding->family, finding->address, utc);
		break;
	}
	finding->known = false;
	finding->ban = finding->verdict.matched ? policy_ban_get(policy, finding->verdict.ban)->id :
						  NULL;
	if (finding->verdict.matched && finding->without == DEBAR_BECAUSE_RULE) {
		err = policy_rule(policy, finding->verdict.rule, &finding->rule);
		finding->known = !err;
	}
	because_fill(finding, policy, utc);
	return err;
}
