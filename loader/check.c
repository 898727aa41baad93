/* SPDX-License-Identifier: MIT */
/*
 * debar check: what is this file, name or address, what would happen, and why. Looks only: needs no
 * root where the files can be read, and does not ask what is in force.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "loader/colour.h"
#include "loader/commands.h"
#include "loader/copies.h"
#include "loader/examine.h"
#include "loader/finding.h"
#include "loader/identity/identity.h"
#include "loader/message.h"
#include "loader/packages.h"
#include "loader/read.h"
#include "policy/cleanup.h"
#include "policy/policy.h"

struct check {
	struct read_names names; /* borrowed from argv */
	int64_t at;
	bool at_given;
	bool json;
	size_t count;
	struct finding *findings;
	bool *good; /* the finding of the same number could be read */
	struct policy *policy;
	struct policy_tables *tables;
	struct judge *judge;
	int root;
	struct packages *packages; /* of this machine; without a table where they cannot be read */
	struct copies *copies;	   /* of files of banned packages, on this machine */
};

static void check_release(struct check *check)
{
	for (size_t i = 0; check->findings && i < check->count; i++)
		finding_release(&check->findings[i]);
	free(check->findings);
	free(check->good);
	judge_free(check->judge);
	policy_tables_free(check->tables);
	policy_free(check->policy);
	packages_free(check->packages);
	copies_free(check->copies);
	if (check->root >= 0)
		close(check->root);
}

/* ---- options ------------------------------------------------------------------------------ */

static int at_read(struct check *check, const char *text)
{
	const char *words = NULL;

	if (check->at_given)
		return message_error(EINVAL, "--at is given twice");
	check->at_given = true;
	if (policy_instant_parse(text, &check->at, &words))
		return message_error(EINVAL, "--at %s: %s", text, words);
	return 0;
}

static int policy_add_name(struct check *check, char *name)
{
	if (check->names.count == DEBAR_BANS_MAX)
		return message_error(EINVAL, "more than %d policies", DEBAR_BANS_MAX);
	check->names.names[check->names.count++] = name;
	return 0;
}

static int option_read(struct check *check, int option, char **argv)
{
	switch (option) {
	case 'p':
		return policy_add_name(check, optarg);
	case 'a':
		return at_read(check, optarg);
	case 'j':
		if (check->json)
			return message_error(EINVAL, "--json is given twice");
		check->json = true;
		return 0;
	case ':':
		return message_error(EINVAL, "%s needs a value", argv[optind - 1]);
	default:
		return message_error(EINVAL, "debar check does not take %s", argv[optind - 1]);
	}
}

static int options_read(struct check *check, int argc, char **argv)
{
	static const struct option options[] = {
		{ "policy", required_argument, NULL, 'p' },
		{ "at", required_argument, NULL, 'a' },
		{ "json", no_argument, NULL, 'j' },
		{},
	};
	struct timespec now;
	int option, err;

	clock_gettime(CLOCK_REALTIME, &now);
	check->at = now.tv_sec * 1000000000LL + now.tv_nsec;
	optind = 1;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":p:", options, NULL)) != -1) {
		err = option_read(check, option, argv);
		if (err)
			return err;
	}
	if (optind == argc) {
		message_error(EINVAL, "debar check: nothing is named that could be checked");
		message_hint("debar check [-p POLICY]... FILE|NAME|ADDRESS...");
		return -EINVAL;
	}
	check->count = (size_t)(argc - optind);
	return 0;
}

/* ---- the policy --------------------------------------------------------------------------- */

static void warn(void *ctx, const struct policy_error *warning)
{
	(void)ctx;
	message_policy_warning(warning);
}

static int policy_read(struct check *check)
{
	/* To look is never refused for what enforcing would be: that is for policy check to say. */
	const struct policy_checks checks = {
		.now = check->at, .force = true, .expired_passes = true, .warn = warn
	};
	int err = read_policy(&check->names, &checks, &check->policy);

	if (err == -ENODATA && !check->names.count)
		err = read_shipped(&checks, &check->policy);
	return err;
}

/* Certificates and packages of what was read: rules about them are compiled against these. */
struct facts {
	struct policy_facts facts;
	struct policy_cert_facts *certs;
	const char **packages;
};

static void facts_release(struct facts *facts)
{
	free(facts->certs);
	free(facts->packages);
}

static void facts_of(struct facts *facts, const struct examined *examined)
{
	const struct identity *identity = examined->identity;

	for (size_t i = 0; i < identity->cert_count; i++)
		facts->facts.cert_count += identity_cert_facts(
			identity->certs[i], &facts->certs[facts->facts.cert_count]);
	for (size_t i = 0; i < identity->signer_count; i++)
		if (!identity->signers[i].cert)
			facts->facts.cert_count += identity_signer_facts(
				&identity->signers[i], &facts->certs[facts->facts.cert_count]);
	for (size_t i = 0; i < examined->owner_count; i++)
		facts->packages[facts->facts.package_count++] = examined->owners[i];
	if (identity->package)
		facts->packages[facts->facts.package_count++] = identity->package;
}

static int facts_gather(struct facts *ret_facts, const struct check *check)
{
	cleanup(facts_release) struct facts facts = {};
	size_t certs = 1;

	for (size_t i = 0; i < check->count; i++)
		if (check->findings[i].file)
			certs += 3 * check->findings[i].file->identity->cert_count +
				 check->findings[i].file->identity->signer_count;
	facts.certs = calloc(certs, sizeof(*facts.certs));
	facts.packages =
		calloc(check->count * (EXAMINE_OWNERS_MAX + 1) + 1, sizeof(*facts.packages));
	if (!facts.certs || !facts.packages)
		return message_error(ENOMEM, "out of memory");
	for (size_t i = 0; i < check->count; i++)
		if (check->findings[i].file)
			facts_of(&facts, check->findings[i].file);
	facts.facts.certs = facts.certs;
	facts.facts.packages = facts.packages;
	copies_facts(check->copies, &facts.facts);
	*ret_facts = facts;
	facts = (struct facts){};
	return 0;
}

static int policy_tabulate(struct check *check)
{
	cleanup(facts_release) struct facts facts = {};
	const struct package_table *table = packages_table(check->packages);
	struct policy_error error = {};
	int err = table ? copies_find(&check->copies, table, check->policy) : 0;

	if (err)
		message_warning("copies of files of banned packages are not known: %s",
				strerror(-err));
	err = facts_gather(&facts, check);
	if (err)
		return err;
	err = policy_compile(check->policy, &facts.facts, &check->tables, &error);
	if (err) {
		message_policy(&error);
		return err;
	}
	err = judge_new(&check->judge, check->tables);
	return err ? message_error(err, "out of memory") : 0;
}

/* ---- the answers -------------------------------------------------------------------------- */

/* Without a database that can be read, files have no owner: what they are is answered all the same. */
static int packages_read(struct check *check)
{
	bool changed;
	int err = packages_new(&check->packages, check->root);

	if (err)
		return message_error(ENOMEM, "out of memory");
	err = packages_refresh(check->packages, &changed);
	if (err)
		message_warning("the package database cannot be read: %s", strerror(-err));
	else if (packages_problem(check->packages))
		message_warning("%s", packages_problem(check->packages));
	return 0;
}

/* What could not be read is told, and the others are answered all the same. */
static int questions_read(struct check *check, char **texts)
{
	int failed = 0;

	check->findings = calloc(check->count, sizeof(*check->findings));
	check->good = calloc(check->count, sizeof(*check->good));
	if (!check->findings || !check->good)
		return message_error(ENOMEM, "out of memory");
	for (size_t i = 0; i < check->count; i++) {
		const char *words = NULL;

		check->good[i] =
			!finding_read(&check->findings[i], check->packages, texts[i], &words);
		if (!check->good[i]) {
			message_error(EINVAL, "cannot check %s: %s", texts[i], words);
			failed++;
		}
	}
	return failed;
}

static int answer(struct check *check, struct finding *finding, bool first)
{
	cleanup(json_decrefp) json_t *json = NULL;
	int err = finding_judge(finding, check->policy, check->judge, check->at);

	if (err)
		return message_error(err, "cannot name the rule about %s: %s", finding->text,
				     strerror(-err));
	if (!check->json) {
		if (!first)
			putchar('\n');
		finding_print(finding, colour_wanted(stdout));
		return 0;
	}
	json = finding_json(finding);
	if (!json || json_dumpf(json, stdout, JSON_COMPACT))
		return message_error(ENOMEM, "cannot print what was found about %s", finding->text);
	putchar('\n');
	return 0;
}

int cmd_check(int argc, char **argv)
{
	cleanup(check_release) struct check check = { .root = -1 };
	bool banned = false, first = true;
	int failed;

	if (options_read(&check, argc, argv) || policy_read(&check))
		return EXIT_ERROR;
	check.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (packages_read(&check))
		return EXIT_ERROR;
	failed = questions_read(&check, argv + optind);
	if (failed < 0 || policy_tabulate(&check))
		return EXIT_ERROR;
	for (size_t i = 0; i < check.count; i++) {
		if (!check.good[i])
			continue;
		if (answer(&check, &check.findings[i], first))
			failed++;
		banned |= finding_banned(&check.findings[i]);
		first = false;
	}
	return failed ? EXIT_ERROR : banned ? EXIT_BANNED : EXIT_DONE;
}
