/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <strings.h>

#include "policy/policy.h"

/* Suffixes of what is installed or unpacked, and never executed itself. */
static const char *const suffixes[] = { ".deb", ".rpm", ".msi", ".zip",	 ".tar",
					".tgz", ".gz",	".xz",	".bz2",	 ".zst",
					".7z",	".cab", ".apk", ".ipa",	 ".jar",
					".dmg", ".pkg", ".iso", ".snap", ".AppxBundle" };

static bool names_archive(const char *word, size_t len)
{
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		size_t suffix = strlen(suffixes[i]);

		if (len > suffix && !strncasecmp(word + len - suffix, suffixes[i], suffix))
			return true;
	}
	return false;
}

/* The vendor's published digests come with the name of the file that they are of. */
bool policy_rule_archive(const struct policy_rule_info *rule)
{
	const char *word = rule->note;

	if (rule->matcher != POLICY_SHA256)
		return false;
	while (word && *word) {
		size_t len = strcspn(word, " ,;()\t");

		if (names_archive(word, len))
			return true;
		word += len + (word[len] != '\0');
	}
	return false;
}
