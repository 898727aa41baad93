/* SPDX-License-Identifier: MIT */
/* What the verbs below `debar policy` share: their options, and the policies they look at. */
#ifndef DEBAR_LOADER_POLICY_H
#define DEBAR_LOADER_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "loader/read.h"

/* As the command line gives them; strings belong to argv. */
struct policy_options {
	struct read_names names; /* -p, and the arguments of verbs that take policies */
	bool json;
	bool force;
	bool strict; /* an expired exception is an error */
	bool has_at;
	int64_t at;	   /* UTC nanoseconds: --at, or now */
	char *key;	   /* --key FILE */
	char *certificate; /* --certificate FILE */
	char *output;	   /* -o FILE */
	int argument_count;
	char **arguments;
};

/* 0, or -EINVAL after a message. */
int policy_options_read(struct policy_options *options, int argc, char **argv);

/* What the options name, else what is configured, else every shipped ban. */
int policy_options_open(const struct policy_options *options, struct policy **ret_policy);

/* The verbs that have a file of their own; each returns the exit code. */
int policy_explain_verb(struct policy_options *options);
int policy_sign_verb(struct policy_options *options);
int policy_verify_verb(struct policy_options *options);

/* Warns of paths that lead through a symbolic link of this machine. */
void policy_tell_links(const struct policy *policy);

/* One object a ban, with the keys of the policy text. Returns the exit code. */
int policy_show_json(const struct policy *policy);

#endif
