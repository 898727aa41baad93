/* SPDX-License-Identifier: MIT */
/*
 * The words of the policy text, in one place, and the nearest known word to a misspelt one.
 */
#ifndef DEBAR_POLICY_WORDS_H
#define DEBAR_POLICY_WORDS_H

#include <stddef.h>

/* A table of words; a NULL entry is a value that has no word. */
struct words {
	size_t count;
	const char *const *names;
};

extern const struct words words_matchers;
extern const struct words words_kinds;	 /* the matchers of a list: those of what can be banned */
extern const struct words words_actions; /* off, audit, deny; INHERIT has no word */
extern const struct words words_acts;
extern const struct words words_allow_deny; /* 0 allow, 1 deny */
extern const struct words words_running;    /* 0 report, 1 kill */
extern const struct words words_boolean;    /* 0 false, 1 true */
extern const struct words words_positions;

/* The index of exactly this word, or -1. */
int words_find(const struct words *words, const char *text);

/* The known word that @text was probably meant to be, or NULL. */
const char *words_nearest(const struct words *words, const char *text);

/* "off, audit or deny" into @buf. Returns @buf. */
const char *words_all(const struct words *words, char *buf, size_t size);

#endif
