// SPDX-License-Identifier: MIT
/*
 * stopwatch SCRIPT: what does an exec cost? Every arm is timed by this one process, which grows
 * no more once it has begun: a parent that grew (by loading programs, say) forks slower, and shows
 * a difference that is none. Under scripts/vm --icount the clock counts instructions.
 *
 * A line of the script is one of
 *   run COMMAND...               a shell command, which has to succeed
 *   time NAME VARIANT COUNT PROGRAM [ARG]...    mean of COUNT times fork, exec and wait
 *   median NAME VARIANT COUNT PROGRAM [ARG]...  likewise, but the median, which leaves out what else
 *                                               the kernel does at times: for small differences
 *   first NAME VARIANT COUNT PROGRAM            the mean, opened for writing before each time, so
 *                                               that whoever remembers its content cannot
 * The others are comments. A result is a line of JSON.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORDS_MAX 16
#define WARM_UP 5
#define TIMES_MAX 10000

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void die(const char *what, const char *on)
{
	fprintf(stderr, "stopwatch: %s: %s\n", what, on);
	exit(1);
}

static void run_once(char *const argv[])
{
	int status;
	pid_t child = fork();

	if (!child) {
		execv(argv[0], argv);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status)
		die("did not run and exit with 0", argv[0]);
}

static void written(const char *file)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		die("cannot be opened for writing", file);
	close(fd);
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* @way: the first letter of the line's first word. */
static void measure(char way, const char *name, const char *variant, int times, char *const argv[])
{
	static int64_t spent[TIMES_MAX];
	int64_t start, result = 0;

	for (int i = way == 'f' ? 0 : -WARM_UP; i < times; i++) {
		if (way == 'f')
			written(argv[0]);
		start = now();
		run_once(argv);
		if (i >= 0)
			spent[i] = now() - start;
	}
	qsort(spent, times, sizeof(*spent), compare);
	for (int i = 0; i < times; i++)
		result += spent[i];
	result = way == 'm' ? spent[times / 2] : result / times;
	printf("{\"name\": \"%s\", \"variant\": \"%s\", \"kernel\": \"%s\", \"unit\": \"instructions\", "
	       "\"value\": %lld}\n",
	       name, variant, getenv("KERNEL") ?: "", (long long)result);
	fflush(stdout);
}

static void obey(char *line)
{
	char *words[WORDS_MAX + 1] = {}, *rest, *word;
	int count = 0, times;

	line[strcspn(line, "\n")] = 0;
	if (!strncmp(line, "run ", 4)) {
		if (system(line + 4))
			die("failed", line + 4);
		return;
	}
	for (word = strtok_r(line, " ", &rest); word && count < WORDS_MAX;
	     word = strtok_r(NULL, " ", &rest))
		words[count++] = word;
	if (!count ||
	    (strcmp(words[0], "time") && strcmp(words[0], "median") && strcmp(words[0], "first")))
		return;
	times = count > 4 ? atoi(words[3]) : 0;
	if (times <= 0 || times > TIMES_MAX)
		die("wants NAME VARIANT COUNT PROGRAM", words[0]);
	measure(words[0][0], words[1], words[2], times, &words[4]);
}

int main(int argc, char **argv)
{
	FILE *script = argc == 2 ? fopen(argv[1], "re") : NULL;
	char line[1024];

	/* Where things are in memory decides how many page tables an exec makes. */
	if (!(personality(0xffffffff) & ADDR_NO_RANDOMIZE)) {
		personality(ADDR_NO_RANDOMIZE);
		execv("/proc/self/exe", argv);
	}
	if (!script)
		die("cannot read the script", argc == 2 ? argv[1] : "none is named");
	while (fgets(line, sizeof(line), script))
		obey(line);
	return 0;
}
