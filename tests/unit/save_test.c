/* SPDX-License-Identifier: MIT */
/* A policy that is kept, includes and lists and all, is the same policy when it is read again. */
#include "tests/unit/policy_case.h"

struct kept {
	size_t count;
	char names[8][64];
	char *texts[8];
};

static int keep(void *ctx, const char *name, const char *text, size_t len)
{
	struct kept *kept = ctx;

	snprintf(kept->names[kept->count], sizeof(kept->names[0]), "%s", name);
	kept->texts[kept->count++] = strndup(text, len);
	return 0;
}

static struct policy *load(const struct policy_case *c)
{
	struct policy *policy = NULL;
	struct policy_error error = {};
	char words[1024];

	if (case_load(c, &policy, &error)) {
		tap_ok(false, "%s", policy_error_format(&error, words, sizeof(words)));
		exit(1);
	}
	return policy;
}

/* Every value in policy order, whatever file it stands in. */
static char *values(const struct policy *policy)
{
	struct policy_rule_info rule;
	size_t len = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, &len);

	for (uint32_t i = 0; i < policy_ordinals(policy); i++)
		if (!policy_rule(policy, i, &rule))
			fprintf(out, "%s %s %d %d %s\n", policy_matcher_name(rule.matcher),
				rule.value, rule.exec, rule.network, rule.note ? rule.note : "");
	fclose(out);
	return text;
}

int main(void)
{
	const struct policy_case c = {
		.text = "ban: x\ninclude: d/a.yaml\nrules:\n"
			"  - list: l.txt\n    kind: package\n    note: n\n"
			"  - list: m.txt\n    kind: network\n    network: audit\n"
			"  - path: /opt/a b/\n    exec: off\n",
		.files = {
			{ .name = "d/a.yaml", .text = "rules:\n  - list: l.txt\n    kind: domain\n" },
			{ .name = "d/l.txt", .text = "# c\nexample.com\n=a.example.org\n" },
			{ .name = "m.txt", .text = "192.0.2.0/24\n::ffff:198.51.100.1\n2001:db8::/32\n" },
			{ .name = "l.txt", .text = "kesl\nkesl-*\n" },
		},
	};
	struct policy_case again = { .force = true };
	struct kept kept = {};
	const struct policy_writer writer = { &kept, keep };
	struct policy *policy, *second;
	char *want, *got;

	policy = load(&c);
	tap_ok(!policy_save(policy, 0, &writer), "kept");
	tap_int(kept.count, 4, "three lists and the ban");
	tap_str(kept.names[3], "ban.yaml", "the ban comes last");
	again.text = kept.texts[3];
	for (int i = 0; i < 3; i++)
		again.files[i] = (struct case_file){ kept.names[i], kept.texts[i], 0 };
	second = load(&again);
	want = values(policy);
	got = values(second);
	tap_str(got, want, "what is read again is the same, in the same order");
	free(want);
	free(got);
	for (size_t i = 0; i < kept.count; i++)
		free(kept.texts[i]);
	policy_free(policy);
	policy_free(second);
	return tap_done();
}
