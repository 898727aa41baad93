// SPDX-License-Identifier: MIT
/*
 * publish NAME POLICY: from a policy's text to tables in the kernel, by what debar load is made of: read,
 * check, compile, fill, store. Nothing is attached or pinned, and the LSM's programs are left out: so it
 * works on kernels that refuse those, and what is measured is what grows with the policy. Rows of JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>

#include "loader/enforce.h"
#include "loader/kernel.h"
#include "loader/store.h"
#include "policy/cleanup.h"
#include "policy/policy.h"

static const char *name;

struct moment {
	double clock;
	double cpu;
};

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static struct moment now(void)
{
	return (struct moment){ seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID) };
}

static void row(const char *variant, const char *unit, double value)
{
	struct utsname host;

	uname(&host);
	printf("{\"name\": \"%s\", \"variant\": \"%s\", \"kernel\": \"%s\", \"unit\": \"%s\", \"value\": "
	       "%.3f}\n",
	       name, variant, host.release, unit, value);
}

static struct moment step(const char *what, struct moment since)
{
	struct moment at = now();

	row(what, "seconds", at.clock - since.clock);
	row(what, "cpu seconds", at.cpu - since.cpu);
	return now();
}

static int measure(const char *path)
{
	struct enforce_options options = { .resident = true };
	cleanup(policy_tables_freep) struct policy_tables *tables = NULL;
	cleanup(policy_freep) struct policy *policy = NULL;
	cleanup(kernel_freep) struct kernel *kernel = NULL;
	struct kernel_policy publish = { .mode = DEBAR_MODE_ENFORCE };
	struct kernel_error error = {};
	struct policy_error wrong = {};
	struct moment start, at;
	struct rusage usage;

	options.policies.count = 1;
	options.policies.names[0] = (char *)path;
	if (kernel_load(&kernel, KERNEL_NETWORK, &error)) {
		fprintf(stderr, "publish: %s\n", error.text);
		return 1;
	}
	start = at = now();
	if (enforce_read(&options, &policy))
		return 1;
	at = step("read and check", at);
	if (policy_compile(policy, NULL, &tables, &wrong)) {
		fprintf(stderr, "publish: %s\n", wrong.text);
		return 1;
	}
	at = step("compile", at);
	publish.tables = tables;
	if (kernel_publish(kernel, &publish, &error)) {
		fprintf(stderr, "publish: %s\n", error.text);
		return 1;
	}
	at = step("fill the tables", at);
	if (store_save(&options, policy, kernel_state(kernel)->generation))
		return 1;
	step("store for status", at);
	step("together", start);
	getrusage(RUSAGE_SELF, &usage);
	row("memory at the peak", "MB", usage.ru_maxrss / 1024.0);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	name = argv[1];
	return measure(argv[2]);
}
