/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "bpf/abi.h"
#include "policy/policy.h"
#include "policy/words.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define WORD_MAX 32

static const char *const matchers[] = {
	[POLICY_SHA256] = "sha256",
	[POLICY_AUTHENTICODE] = "authenticode",
	[POLICY_CERTIFICATE] = "certificate",
	[POLICY_PACKAGE] = "package",
	[POLICY_BUILDID] = "buildid",
	[POLICY_FSVERITY] = "fsverity",
	[POLICY_PATH] = "path",
	[POLICY_DOMAIN] = "domain",
	[POLICY_NETWORK] = "network",
	[POLICY_UID] = "uid",
	[POLICY_CGROUP] = "cgroup",
};
_Static_assert(COUNT(matchers) == POLICY_MATCHER_MAX, "a matcher has no word");

static const char *const actions[] = {
	[DEBAR_INHERIT] = NULL,
	[DEBAR_OFF] = "off",
	[DEBAR_AUDIT] = "audit",
	[DEBAR_DENY] = "deny",
};
_Static_assert(COUNT(actions) == DEBAR_ACTION_MAX, "an action has no word");

static const char *const acts[] = {
	[POLICY_ACT_SUPPLY] = "supply",	      [POLICY_ACT_UPDATE] = "update",
	[POLICY_ACT_INTEGRATE] = "integrate", [POLICY_ACT_LICENSE] = "license",
	[POLICY_ACT_RESELL] = "resell",	      [POLICY_ACT_PROCURE] = "procure",
	[POLICY_ACT_OPERATE] = "operate",     [POLICY_ACT_INSTALL] = "install",
	[POLICY_ACT_CONNECT] = "connect",     [POLICY_ACT_USE] = "use",
};
_Static_assert(COUNT(acts) == POLICY_ACT_MAX, "an act has no word");

static const char *const key_kinds[] = {
	[DEBAR_KEY_NONE] = "none",
	[DEBAR_KEY_SHA256] = "sha256",
	[DEBAR_KEY_AUTHENTICODE] = "authenticode",
	[DEBAR_KEY_AUTHENTICODE_SHA1] = "authenticode-sha1",
	[DEBAR_KEY_CERT_LEAF] = "certificate",
	[DEBAR_KEY_CERT_CHAIN] = "certificate-chain",
	[DEBAR_KEY_CERT_ISSUER_SERIAL] = "issuer-serial",
	[DEBAR_KEY_CERT_KEYID] = "key-id",
	[DEBAR_KEY_BUILDID] = "buildid",
	[DEBAR_KEY_FSVERITY] = "fsverity",
	[DEBAR_KEY_PACKAGE] = "package",
	[DEBAR_KEY_PATH] = "path",
	[DEBAR_KEY_UID] = "uid",
	[DEBAR_KEY_CGROUP] = "cgroup",
};
_Static_assert(COUNT(key_kinds) == DEBAR_KEY_KIND_MAX, "a kind of key has no word");

static const char *const allow_deny[] = { "allow", "deny" };
static const char *const running[] = { "report", "kill" };
static const char *const boolean[] = { "false", "true" };
static const char *const positions[] = {
	[POLICY_POSITION_LEAF] = "leaf",
	[POLICY_POSITION_ANY] = "any",
};

const struct words words_matchers = { COUNT(matchers), matchers };
_Static_assert(POLICY_UID + 1 == POLICY_CGROUP && POLICY_CGROUP + 1 == POLICY_MATCHER_MAX,
	       "what only exceptions have stands last");
const struct words words_kinds = { POLICY_UID, matchers };
const struct words words_actions = { COUNT(actions), actions };
const struct words words_acts = { COUNT(acts), acts };
const struct words words_allow_deny = { COUNT(allow_deny), allow_deny };
const struct words words_running = { COUNT(running), running };
const struct words words_boolean = { COUNT(boolean), boolean };
const struct words words_positions = { COUNT(positions), positions };

int words_find(const struct words *words, const char *text)
{
	for (size_t i = 0; i < words->count; i++)
		if (words->names[i] && strcmp(words->names[i], text) == 0)
			return (int)i;
	return -1;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Insertions, deletions, changes and swaps of neighbours that make one word of the other. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][WORD_MAX + 1];

	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *now = rows[i % 3], *last = rows[(i + 2) % 3], *older = rows[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			now[j] = smaller(smaller(now[j - 1], last[j]) + 1,
					 last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = smaller(now[j], older[j - 2] + 1);
		}
	}
	return rows[a_len % 3][b_len];
}

const char *words_nearest(const struct words *words, const char *text)
{
	size_t len = strlen(text), best = 3;
	const char *nearest = NULL;

	if (len > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < words->count; i++) {
		const char *name = words->names[i];
		size_t name_len = name ? strlen(name) : 0, far;

		if (!name || name_len > WORD_MAX)
			continue;
		far = distance(text, len, name, name_len);
		/* Half of a word changed is another word; half of it left out may be the same. */
		if (far < best && far * 2 < smaller(len, name_len) + (len != name_len)) {
			best = far;
			nearest = name;
		}
	}
	return nearest;
}

const char *words_all(const struct words *words, char *buf, size_t size)
{
	size_t used = 0, left = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < words->count; i++)
		left += words->names[i] != NULL;
	for (size_t i = 0; i < words->count && used < size; i++) {
		if (!words->names[i])
			continue;
		left--;
		used += (size_t)snprintf(buf + used, size - used, "%s%s", words->names[i],
					 left > 1  ? ", " :
					 left == 1 ? " or " :
						     "");
	}
	return buf;
}

static const char *name_of(const struct words *words, unsigned int i)
{
	return i < words->count ? words->names[i] : NULL;
}

const char *policy_matcher_name(enum policy_matcher matcher)
{
	return name_of(&words_matchers, matcher);
}

const char *policy_action_name(enum debar_action action)
{
	return name_of(&words_actions, action);
}

const char *policy_act_name(enum policy_act act)
{
	return name_of(&words_acts, act);
}

const char *policy_key_kind_name(enum debar_key_kind kind)
{
	return kind < COUNT(key_kinds) ? key_kinds[kind] : NULL;
}
