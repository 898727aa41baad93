// SPDX-License-Identifier: MIT
/* The table of verbs is the help text. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "loader/commands.h"
#include "loader/message.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage;
	const char *help;
} verbs[] = {
	/* clang-format off */
	{ "run", cmd_run, "[-p POLICY]... [--audit] [--mode auto|kernel|gate]",
	  "enforce, and report, in the foreground" },
	{ "load", cmd_load, "[-p POLICY]... [--audit]", "load, pin and leave: no daemon" },
	{ "unload", cmd_unload, "", "take it all off" },
	{ "reload", cmd_reload, "", "read the policy again and swap it" },
	{ "status", cmd_status, "", "what is in force, as the kernel has it" },
	{ "events", cmd_events, "[--follow]", "what was refused or audited" },
	{ "check", cmd_check, "[-p POLICY]... [--at WHEN] FILE|NAME|ADDRESS...",
	  "what is it, what would happen, and why" },
	{ "policy", cmd_policy, "check|show|diff|explain|sign|verify ...",
	  "look at policies; touches nothing" },
	/* clang-format on */
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static int help(FILE *out)
{
	size_t i;

	fputs("usage: debar VERB [OPTION]...\n\n", out);
	for (i = 0; i < VERBS; i++)
		fprintf(out, "  %-7s %-51s %s\n", verbs[i].name, verbs[i].usage, verbs[i].help);
	fputs("\nEvery verb that prints takes --json. debar(8) has the rest.\n", out);
	return out == stdout ? EXIT_DONE : EXIT_ERROR;
}

static int help_verb(size_t verb)
{
	printf("usage: debar %s%s%s\n\n  %s\n\ndebar(8) has every option.\n", verbs[verb].name,
	       verbs[verb].usage[0] ? " " : "", verbs[verb].usage, verbs[verb].help);
	return EXIT_DONE;
}

/* "debar policy --help" is a longer one, of its own. */
static bool asks_for_help(int argc, char **argv)
{
	return argc > 2 && !strcmp(argv[argc - 1], "--help") && strcmp(argv[1], "policy") != 0;
}

/* A result nobody got is a failure: a full disk, a closed descriptor. */
static int finish(int code)
{
	if (fflush(stdout) || ferror(stdout)) {
		message_error(errno, "cannot write to stdout: %s", strerror(errno));
		return EXIT_ERROR;
	}
	return code;
}

int main(int argc, char **argv)
{
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	if (argc < 2)
		return help(stderr);
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help"))
		return finish(help(stdout));
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "version")) {
		puts("debar " DEBAR_VERSION);
		return finish(EXIT_DONE);
	}
	for (i = 0; i < VERBS; i++)
		if (!strcmp(argv[1], verbs[i].name))
			return finish(asks_for_help(argc, argv) ? help_verb(i) :
								  verbs[i].run(argc - 1, argv + 1));
	message_error(EINVAL, "no verb %s; debar help lists them", argv[1]);
	return EXIT_ERROR;
}
