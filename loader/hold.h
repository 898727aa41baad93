/* SPDX-License-Identifier: MIT */
/*
 * The hold: content whose keys nobody knows waits on a fanotify permission event while it is read
 * and classified. It writes answers, never verdicts: the kernel binds an answer to a digest and
 * decides. Nothing here logs, runs a program or touches a database while somebody waits.
 */
#ifndef DEBAR_HOLD_H
#define DEBAR_HOLD_H

#include <stdbool.h>

#include "bpf/abi.h"

struct hold;
struct identity;
struct kernel;
struct policy;
struct policy_facts;
struct watchdog;

/*
 * Starts the threads; everything borrowed, @watchdog beaten from now on. Super blocks of local file
 * systems are marked, and those that are mounted later. @places: some rule is a path or a package.
 */
int hold_start(struct hold **ret_hold, struct kernel *kernel, const struct policy *policy,
	       bool places, struct watchdog *watchdog);

/* Looks whether packages came or went. True: the policy has to be compiled and swapped again. */
bool hold_refresh(struct hold *hold);

/*
 * Finds the copies that @policy bans with its packages, to be compiled in by the next swap. Reads the
 * files of those packages: nobody who waits for an answer is kept by it, but libraries are.
 */
int hold_find_copies(struct hold *hold, const struct policy *policy);

/* Lets everybody go and ends the threads. NULL is fine. */
void hold_stop(struct hold *hold);

/*
 * Around a swap: hold_lock() stands still with the certificates seen so far in *ret_facts,
 * hold_unlock() goes on with @policy, or as before when it is NULL.
 */
void hold_lock(struct hold *hold, struct policy_facts *ret_facts);
void hold_unlock(struct hold *hold, const struct policy *policy);

/*
 * A hook asks by @event for the keys of content that nobody was held for, and waits if it has a
 * cookie: a thread classifies the file, if it can be found and is still the same.
 */
void hold_answer(struct hold *hold, const struct debar_event *event);

/*
 * Classifies what runs, and what the machine cannot do without: before what is not classified may be
 * refused.
 */
int hold_prepare(struct hold *hold);

/*
 * For content that was found outside of a hold: its certificates are judged (@identity, or NULL, is
 * taken over), and *ret_place becomes the path or package of the file behind @fd that a rule names.
 */
void hold_learn(struct hold *hold, int fd, struct identity *identity, struct debar_key *ret_place);

/* Calls @tell, from any thread, when content that a rule names was recognised too late to refuse it. */
void hold_watch_late(struct hold *hold, void (*tell)(void *ctx), void *ctx);

#endif
