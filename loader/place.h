/* SPDX-License-Identifier: MIT */
/*
 * Path and package of a file: facts about one inode as the host names it, asked for only where a
 * rule speaks of them. In another root the path is the one the file has from here, if any.
 */
#ifndef DEBAR_PLACE_H
#define DEBAR_PLACE_H

#include <stdbool.h>

#include "bpf/abi.h"

struct copies;
struct kernel;
struct places;
struct policy;
struct policy_facts;

int places_new(struct places **ret_places, struct kernel *kernel);
void places_free(struct places *places);

/* Reads the package databases again if they changed. True: the names of packages are others now. */
bool places_refresh(struct places *places);

/* Adds the names of the packages to @facts; they live until the next refresh. */
void places_facts(const struct places *places, struct policy_facts *facts);

/* The copies that @policy bans with the packages of the last refresh; see copies.h. */
int places_copies(const struct places *places, const struct policy *policy,
		  struct copies **ret_copies);

/* The path or package of the file behind @fd that a rule in force names; kind NONE: none does. */
struct debar_key places_find(struct places *places, int fd);

#endif
