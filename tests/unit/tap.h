/* SPDX-License-Identifier: MIT */
/*
 * TAP for tests in C, without a plan: a line for each check, and the count at the end, which is how
 * scripts/run-tests knows that the program came to its end.
 */
#ifndef DEBAR_TESTS_TAP_H
#define DEBAR_TESTS_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct tap_count {
	int run;
	int failed;
};

__attribute__((unused)) static struct tap_count tap_count;

__attribute__((unused, format(printf, 5, 6))) static bool
tap_check(bool good, const char *file, int line, const char *expression, const char *format, ...)
{
	va_list args;

	printf("%sok %d - ", good ? "" : "not ", ++tap_count.run);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	if (!good) {
		tap_count.failed++;
		printf("# %s:%d: %s\n", file, line, expression);
	}
	fflush(stdout);
	return good;
}

/* One check, described as printf() does; true when it held. */
#define tap_ok(cond, ...) tap_check((cond), __FILE__, __LINE__, #cond, __VA_ARGS__)

/* A check not made, and why. */
#define tap_skip(what, why) printf("ok %d - %s # SKIP %s\n", ++tap_count.run, (what), (why))

/* Two strings are the same; both are shown when they are not. NULL equals NULL only. */
__attribute__((unused)) static bool tap_str(const char *got, const char *want, const char *what)
{
	bool same = got && want ? !strcmp(got, want) : got == want;

	tap_ok(same, "%s", what);
	if (!same)
		printf("# got:  %s\n# want: %s\n", got ? got : "(null)", want ? want : "(null)");
	return same;
}

/* Two numbers are the same; both are shown when they are not. */
__attribute__((unused)) static bool tap_int(long long got, long long want, const char *what)
{
	tap_ok(got == want, "%s", what);
	if (got != want)
		printf("# got:  %lld\n# want: %lld\n", got, want);
	return got == want;
}

/* The last line; what main() returns. */
__attribute__((unused)) static int tap_done(void)
{
	printf("1..%d\n", tap_count.run);
	return tap_count.failed != 0;
}

#endif
