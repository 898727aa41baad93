/* SPDX-License-Identifier: MIT */
/*
 * A package rule bans the files that a package owns, where they lie; and their bytes elsewhere. Not
 * all of them: what the machine has from another package too, or cannot do without, and what is no
 * code, says nothing about the banned one. Reads every program of a banned package, so it is not for
 * who has somebody waiting.
 */
#ifndef DEBAR_COPIES_H
#define DEBAR_COPIES_H

struct copies;
struct package_table;
struct policy;
struct policy_facts;

/* @table and @policy are borrowed for the call. Nothing is found where no banned package is there. */
int copies_find(struct copies **ret_copies, const struct package_table *table,
		const struct policy *policy);
void copies_free(struct copies *copies);

/* Adds to @facts, borrowed. NULL is fine. */
void copies_facts(const struct copies *copies, struct policy_facts *facts);

#endif
