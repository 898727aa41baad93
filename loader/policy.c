/* SPDX-License-Identifier: MIT */
/* debar policy check | show | diff: look at policies. Needs no root and touches nothing. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "loader/commands.h"
#include "loader/message.h"
#include "loader/policy.h"
#include "loader/system.h"
#include "policy/cleanup.h"

static const struct option long_options[] = {
	{ "policy", required_argument, NULL, 'p' }, { "json", no_argument, NULL, 'j' },
	{ "force", no_argument, NULL, 'f' },	    { "at", required_argument, NULL, 'a' },
	{ "key", required_argument, NULL, 'k' },    { "certificate", required_argument, NULL, 'c' },
	{ "output", required_argument, NULL, 'o' }, {},
};

static void warn(void *ctx, const struct policy_error *warning)
{
	(void)ctx;
	message_policy_warning(warning);
}

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	/* Nobody wants to read nanoseconds of now. */
	return ts.tv_sec * 1000000000LL;
}

static int read_name(struct policy_options *options, char *name)
{
	if (options->names.count == DEBAR_BANS_MAX)
		return message_error(EINVAL, "more than %d policies", DEBAR_BANS_MAX);
	options->names.names[options->names.count++] = name;
	return 0;
}

static int read_at(struct policy_options *options, const char *text)
{
	const char *words;

	if (policy_instant_parse(text, &options->at, &words))
		return message_error(EINVAL, "--at %s: %s", text, words);
	options->has_at = true;
	return 0;
}

static int read_once(char **place, const char *option, char *value)
{
	if (*place)
		return message_error(EINVAL, "--%s is given twice", option);
	*place = value;
	return 0;
}

int policy_options_read(struct policy_options *options, int argc, char **argv)
{
	int c, err = 0;

	*options = (struct policy_options){ .at = now() };
	opterr = 0;
	while (!err && (c = getopt_long(argc, argv, ":p:o:", long_options, NULL)) >= 0) {
		if (c == 'p')
			err = read_name(options, optarg);
		else if (c == 'j')
			options->json = true;
		else if (c == 'f')
			options->force = true;
		else if (c == 'a')
			err = options->has_at ? message_error(EINVAL, "--at is given twice") :
						read_at(options, optarg);
		else if (c == 'k')
			err = read_once(&options->key, "key", optarg);
		else if (c == 'c')
			err = read_once(&options->certificate, "certificate", optarg);
		else if (c == 'o')
			err = read_once(&options->output, "output", optarg);
		else if (c == ':')
			err = message_error(EINVAL, "%s needs a value", argv[optind - 1]);
		else
			err = message_error(EINVAL, "debar policy %s does not take %s", argv[0],
					    argv[optind - 1]);
	}
	options->argument_count = argc - optind;
	options->arguments = argv + optind;
	return err;
}

int policy_options_open(const struct policy_options *options, struct policy **ret_policy)
{
	cleanup(system_release) struct system_files files = {};
	struct policy_checks checks = {
		.now = options->at,
		.force = options->force,
		.expired_passes = !options->strict,
		.warn = warn,
	};
	int err;

	system_read(&files);
	checks.system_count = files.count;
	checks.system = files.files;
	checks.find_packages = system_find_packages;
	checks.ctx = &files;
	err = read_policy(&options->names, &checks, ret_policy);
	if (err == -ENODATA && !options->names.count)
		err = read_shipped(&checks, ret_policy);
	return err;
}

/* Arguments name policies as -p does. */
static int arguments_are_names(struct policy_options *options)
{
	int err = 0;

	for (int i = 0; !err && i < options->argument_count; i++)
		err = read_name(options, options->arguments[i]);
	options->argument_count = 0;
	return err;
}

static json_t *counts(const struct policy_ban *ban)
{
	json_t *rules = json_object();

	for (int i = 0; i < POLICY_MATCHER_MAX; i++)
		if (ban->rules[i])
			json_object_set_new(rules, policy_matcher_name(i),
					    json_integer(ban->rules[i]));
	return rules;
}

static void check_json(const struct policy_ban *ban, int64_t at)
{
	struct debar_phase phase = policy_phase_at(ban, at);
	json_t *line = json_pack("{s:s, s:s, s:o, s:s, s:s}", "ban", ban->id, "file",
				 ban->place.file, "rules", counts(ban), "exec",
				 policy_action_name(phase.exec), "network",
				 policy_action_name(phase.network));

	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(line);
}

static void check_text(const struct policy_ban *ban, int64_t at)
{
	struct debar_phase phase = policy_phase_at(ban, at);
	const struct debar_phase *next = policy_phase_next(ban, at);
	const char *comma = "";
	char from[40];

	printf("%s: ", ban->id);
	for (int i = 0; i < POLICY_MATCHER_MAX; i++) {
		if (!ban->rules[i])
			continue;
		printf("%s%u %s", comma, ban->rules[i], policy_matcher_name(i));
		comma = ", ";
	}
	printf("; exec %s, network %s", policy_action_name(phase.exec),
	       policy_action_name(phase.network));
	if (next)
		printf("; from %s exec %s, network %s",
		       policy_instant_format(next->from, from, sizeof(from)),
		       policy_action_name(next->exec), policy_action_name(next->network));
	putchar('\n');
}

static int policy_check_verb(struct policy_options *options)
{
	cleanup(policy_freep) struct policy *policy = NULL;

	options->strict = true;
	if (arguments_are_names(options) || policy_options_open(options, &policy))
		return EXIT_ERROR;
	policy_tell_links(policy);
	for (size_t i = 0; i < policy_ban_count(policy); i++) {
		if (options->json)
			check_json(policy_ban_get(policy, i), options->at);
		else
			check_text(policy_ban_get(policy, i), options->at);
	}
	return EXIT_DONE;
}

/* A comment: what is shown stays a policy. */
static void show_reach(const struct policy *policy)
{
	struct policy_rule_info rule;
	uint32_t files = 0, archives = 0;

	for (uint32_t i = 0; i < policy_ordinals(policy); i++) {
		if (policy_rule(policy, i, &rule) || rule.matcher > POLICY_PATH)
			continue;
		files++;
		archives += policy_rule_archive(&rule);
	}
	if (!files)
		return;
	printf("# %u of %u rules about files can match at exec", files - archives, files);
	if (archives)
		printf("; %u are digests of archives, for debar check and the apt hook", archives);
	putchar('\n');
}

static int policy_show_verb(struct policy_options *options)
{
	cleanup(policy_freep) struct policy *policy = NULL;
	cleanup(cleanup_free) char *text = NULL;
	size_t len = 0;
	int err;

	if (arguments_are_names(options) || policy_options_open(options, &policy))
		return EXIT_ERROR;
	if (options->json)
		return policy_show_json(policy);
	err = policy_print(policy, &text, &len);
	if (err) {
		message_error(err, "cannot print the policy: %s", strerror(-err));
		return EXIT_ERROR;
	}
	fwrite(text, 1, len, stdout);
	show_reach(policy);
	return EXIT_DONE;
}

static int open_one(const struct policy_options *options, char *name, struct policy **ret_policy)
{
	struct policy_options one = *options;

	one.names = (struct read_names){ .count = 1, .names = { name } };
	return policy_options_open(&one, ret_policy);
}

static void diff_json(char *text)
{
	for (char *line; (line = strsep(&text, "\n")) && *line;) {
		json_t *change = json_pack("{s:s}", "change", line);

		json_dumpf(change, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(change);
	}
}

static int policy_diff_verb(struct policy_options *options)
{
	cleanup(policy_freep) struct policy *before = NULL;
	cleanup(policy_freep) struct policy *after = NULL;
	cleanup(cleanup_free) char *text = NULL;
	int err;

	if (options->argument_count != 2 || options->names.count) {
		message_error(EINVAL, "usage: debar policy diff OLD NEW");
		return EXIT_ERROR;
	}
	if (open_one(options, options->arguments[0], &before) ||
	    open_one(options, options->arguments[1], &after))
		return EXIT_ERROR;
	err = policy_diff(before, after, &text);
	if (err) {
		message_error(err, "cannot compare the policies: %s", strerror(-err));
		return EXIT_ERROR;
	}
	if (options->json)
		diff_json(text);
	else
		fputs(text[0] ? text : "nothing changes\n", stdout);
	return EXIT_DONE;
}

static const struct {
	const char *name;
	int (*run)(struct policy_options *options);
	const char *usage;
	const char *help;
} verbs[] = {
	/* clang-format off */
	{ "check", policy_check_verb, "[--force] [POLICY]...", "is it right?" },
	{ "show", policy_show_verb, "[POLICY]...", "in canonical form" },
	{ "diff", policy_diff_verb, "OLD NEW", "what changes, in words" },
	{ "explain", policy_explain_verb, "[-p POLICY]... [--at INSTANT] [VALUE]...",
	  "why, since when, by whose authority" },
	{ "sign", policy_sign_verb, "--key KEY --certificate CERT POLICY", "write POLICY.sig" },
	{ "verify", policy_verify_verb, "POLICY...", "is it signed by whom we trust?" },
	/* clang-format on */
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static int usage(FILE *out)
{
	fputs("usage: debar policy VERB [OPTION]...\n\n", out);
	for (size_t i = 0; i < VERBS; i++)
		fprintf(out, "  %-7s %-43s %s\n", verbs[i].name, verbs[i].usage, verbs[i].help);
	fputs("\nPOLICY is a file, a directory or the id of a shipped ban. All take --json.\n",
	      out);
	return out == stdout ? EXIT_DONE : EXIT_ERROR;
}

int cmd_policy(int argc, char **argv)
{
	struct policy_options options;

	if (argc < 2)
		return usage(stderr);
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help"))
		return usage(stdout);
	for (size_t i = 0; i < VERBS; i++) {
		if (strcmp(argv[1], verbs[i].name))
			continue;
		if (argc > 2 && !strcmp(argv[argc - 1], "--help")) {
			printf("usage: debar policy %s %s\n\n  %s\n", verbs[i].name, verbs[i].usage,
			       verbs[i].help);
			return EXIT_DONE;
		}
		if (policy_options_read(&options, argc - 1, argv + 1))
			return EXIT_ERROR;
		return verbs[i].run(&options);
	}
	message_error(EINVAL, "no verb %s of debar policy; debar policy help lists them", argv[1]);
	return EXIT_ERROR;
}
