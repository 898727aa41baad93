/* SPDX-License-Identifier: MIT */
/* Colours are for terminals, and for people who did not switch them off (https://no-color.org). */
#ifndef DEBAR_LOADER_COLOUR_H
#define DEBAR_LOADER_COLOUR_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline bool colour_wanted(FILE *out)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fileno(out)) && !(no && *no) && !(term && strcmp(term, "dumb") == 0);
}

#endif
