/* SPDX-License-Identifier: MIT */
/* debar policy sign | verify. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "loader/commands.h"
#include "loader/message.h"
#include "loader/policy.h"
#include "loader/trust.h"
#include "policy/cleanup.h"

/* Parse @name for what it is read from; a policy that is wrong is neither signed nor verified. */
static int read_manifest(char *name, struct trust_manifest *ret_manifest,
			 struct policy **ret_policy)
{
	cleanup(policy_freep) struct policy *policy = NULL;
	cleanup(cleanup_free) char *path = read_resolve(name);
	int err = path ? policy_new(&policy) : -ENOMEM;

	if (err) {
		message_error(err, "not enough memory");
		return -ENOMEM;
	}
	err = read_one(policy, path, ret_manifest);
	if (err)
		return err;
	*ret_policy = take(policy);
	return 0;
}

int policy_sign_verb(struct policy_options *options)
{
	cleanup(trust_manifest_release) struct trust_manifest manifest = {};
	cleanup(policy_freep) struct policy *policy = NULL;
	const struct policy_ban *ban;
	struct policy_error error;

	if (options->argument_count != 1 || !options->key || !options->certificate) {
		message_error(EINVAL, "usage: debar policy sign --key KEY --certificate CERT "
				      "[-o FILE] POLICY");
		return EXIT_ERROR;
	}
	if (read_manifest(options->arguments[0], &manifest, &policy))
		return EXIT_ERROR;
	if (trust_sign(&manifest, options->key, options->certificate, options->output, &error)) {
		message_policy(&error);
		return EXIT_ERROR;
	}
	ban = policy_ban_get(policy, 0);
	if (ban && !ban->serial)
		message_warning("%s has no serial: an older edition cannot be told from it",
				manifest.files[0].path);
	return EXIT_DONE;
}

static int verify_one(char *name, const struct policy_options *options)
{
	cleanup(trust_manifest_release) struct trust_manifest manifest = {};
	cleanup(policy_freep) struct policy *policy = NULL;
	const struct policy_ban *ban;
	struct policy_error error;
	int err = read_manifest(name, &manifest, &policy);

	if (err)
		return err;
	ban = policy_ban_get(policy, 0);
	err = trust_verify(&manifest, &error);
	if (!err)
		err = trust_fresh(policy, options->at, &error);
	if (err) {
		message_policy(&error);
		return err;
	}
	if (options->json) {
		json_t *line = json_pack("{s:s, s:s, s:b}", "file", manifest.files[0].path, "ban",
					 ban ? ban->id : "", "signed", 1);

		json_dumpf(line, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(line);
	} else {
		printf("%s: signed, %zu files\n", manifest.files[0].path, manifest.count);
	}
	return 0;
}

int policy_verify_verb(struct policy_options *options)
{
	int code = EXIT_DONE;

	if (!options->argument_count) {
		message_error(EINVAL, "usage: debar policy verify POLICY...");
		return EXIT_ERROR;
	}
	for (int i = 0; i < options->argument_count; i++)
		if (verify_one(options->arguments[i], options))
			code = EXIT_ERROR;
	return code;
}
