/* SPDX-License-Identifier: MIT */
/*
 * What the policy says of a file in gate mode, where no program in the kernel does: the policy in
 * force as tables, what was learnt of certificates and packages, and which phases have begun. Any
 * thread may ask; the controller alone swaps.
 */
#ifndef DEBAR_OPINION_H
#define DEBAR_OPINION_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/abi.h"
#include "loader/judge.h"

struct identity;
struct kernel;
struct opinion;
struct policy;
struct policy_facts;

/* @policy is in force in @kernel's maps already. Both are borrowed. */
int opinion_new(struct opinion **ret_opinion, struct kernel *kernel, const struct policy *policy);
void opinion_free(struct opinion *opinion);

/*
 * Around a swap: opinion_lock() stands still with what was learnt so far in *ret_facts;
 * opinion_unlock() goes on with @policy, which is in force by then, or as before when it is NULL.
 */
void opinion_lock(struct opinion *opinion, struct policy_facts *ret_facts);
int opinion_unlock(struct opinion *opinion, const struct policy *policy);

/* Looks whether packages came or went. True: the policy has to be compiled and swapped again. */
bool opinion_refresh(struct opinion *opinion);

/* Some rule or exception is by sha256. */
bool opinion_wants_digest(const struct opinion *opinion);

/* Is this the content that every generation refuses? */
bool opinion_is_canary(const struct opinion *opinion, const __u8 digest[32]);

/* New certificates are evaluated before anybody who waits on them is answered. Takes @identity. */
int opinion_learn(struct opinion *opinion, struct identity *identity);

/* The path or package of the file behind @fd that a rule names; kind NONE: none does. */
struct debar_key opinion_place(struct opinion *opinion, int fd);
bool opinion_has_places(const struct opinion *opinion);

/*
 * By the keys of a file, and of who acts once those are among them; or, where *because says why they
 * are not known, without. @overflow: there are more keys than these, which may become the reason.
 * *ret_policy: a number of the policy that was asked.
 */
struct verdict opinion_of(struct opinion *opinion, const struct debar_key *keys, size_t count,
			  bool overflow, enum debar_because *because, unsigned int *ret_policy);

/*
 * Runs @fn if the policy of that number is still in force, and no other comes into force meanwhile.
 */
void opinion_while(struct opinion *opinion, unsigned int policy, void (*fn)(void *ctx), void *ctx);

/* Is a denial meant in earnest: by the mode, and the end of --for? */
bool opinion_earnest(const struct opinion *opinion);

/* Who is not answered in time is refused: as `unclassified` says. Does not wait for anything. */
bool opinion_late_denies(const struct opinion *opinion);

#endif
