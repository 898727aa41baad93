// SPDX-License-Identifier: MIT
/*
 * classify FILE...: how long a held program waits for what it is. For each, a row with the median of
 * many times of what the hold does with a file it has not seen, which is in memory by then.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loader/identify.h"
#include "loader/identity/identity.h"

#define TIMES 2001

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int measure(const char *path)
{
	static int64_t spent[TIMES];
	struct identity *identity;
	int fd, i;

	if (identify_open(path, &fd))
		return -1;
	for (i = 0; i < TIMES; i++) {
		int64_t start = now();

		if (identify_fd(&identity, fd, 0))
			return -1;
		spent[i] = now() - start;
		if (i == TIMES - 1)
			printf("{\"name\": \"classify-%s\", \"variant\": \"%u-signers\", "
			       "\"kernel\": \"\", \"unit\": \"microseconds\", \"value\": ",
			       identity_type_name(identity->type),
			       (unsigned int)identity->signer_count);
		identity_free(identity);
	}
	qsort(spent, TIMES, sizeof(*spent), compare);
	printf("%.1f}\n", (double)spent[TIMES / 2] / 1000);
	return 0;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (measure(argv[i])) {
			fprintf(stderr, "classify: cannot read %s\n", argv[i]);
			return 1;
		}
	}
	return 0;
}
