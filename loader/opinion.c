// SPDX-License-Identifier: MIT
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "loader/certificates.h"
#include "loader/clock.h"
#include "loader/enforce.h"
#include "loader/kernel.h"
#include "loader/opinion.h"
#include "loader/place.h"
#include "policy/cleanup.h"
#include "policy/policy.h"

struct opinion {
	struct kernel *kernel;
	unsigned int matchers;
	bool late_denies;
	__u8 canary[32];
	pthread_mutex_t lock; /* of all below; those above are read without */
	const struct policy *policy;
	unsigned int number; /* of the policy */
	struct certificates *certificates;
	struct places *places; /* NULL: no rule speaks of paths or packages */
	struct policy_tables *tables;
	struct judge *judge;
};

/* ---- the policy as one judge --------------------------------------------------------------- */

/* A phase that was entered is not left when the clock is set back: as the kernel's `entered`. */
static void enter_phases(struct policy_tables *tables, int64_t utc)
{
	for (size_t i = 0; i < tables->ban_count; i++)
		for (size_t p = 0; p < tables->bans[i].phase_count; p++)
			if (p < tables->bans[i].entered || tables->bans[i].phases[p].from <= utc)
				tables->bans[i].phases[p].from = INT64_MIN;
}

/* Those that a boot before had entered are known to what was published. */
static void recall_phases(struct opinion *opinion, struct policy_tables *tables)
{
	struct debar_ban ban;

	for (size_t i = 0; i < tables->ban_count; i++)
		if (!kernel_ban(opinion->kernel, i, &ban))
			tables->bans[i].entered = ban.entered;
}

static int digest_canary(struct opinion *opinion)
{
	struct debar_head head;

	if (kernel_head(opinion->kernel, &head) ||
	    !EVP_Digest(head.canary, sizeof(head.canary), opinion->canary, NULL, EVP_sha256(),
			NULL))
		return -EIO;
	return 0;
}

/* Who waits too long goes as `unclassified` says; who it is, is not asked then. */
static void weigh_late(struct opinion *opinion)
{
	struct verdict verdict = judge_without(opinion->judge, DEBAR_BECAUSE_UNCLASSIFIED, NULL, 0,
					       clock_ns(CLOCK_REALTIME));
	bool denies = verdict.action == DEBAR_DENY && !kernel_state(opinion->kernel)->scope &&
		      opinion_earnest(opinion);

	__atomic_store_n(&opinion->late_denies, denies, __ATOMIC_RELAXED);
}

/* The policy, with what has been learnt by now. Under the lock. */
static int judge_again(struct opinion *opinion)
{
	cleanup(policy_tables_freep) struct policy_tables *tables = NULL;
	struct policy_facts facts = certificates_facts(opinion->certificates);
	struct judge *judge;
	int ret;

	if (opinion->places)
		places_facts(opinion->places, &facts);
	ret = enforce_compile(opinion->policy, &facts, &tables);
	if (!ret)
		ret = judge_new(&judge, tables);
	if (ret)
		return ret;
	recall_phases(opinion, tables);
	judge_free(opinion->judge);
	policy_tables_free(opinion->tables);
	opinion->judge = judge;
	opinion->tables = take(tables);
	__atomic_store_n(&opinion->matchers, policy_matchers(opinion->policy), __ATOMIC_RELAXED);
	weigh_late(opinion);
	return digest_canary(opinion);
}

static int start(struct opinion *opinion)
{
	int ret = certificates_new(&opinion->certificates);

	if (!ret && enforce_needs_places(opinion->policy))
		ret = places_new(&opinion->places, opinion->kernel);
	if (ret)
		return ret;
	if (opinion->places)
		(void)places_refresh(opinion->places);
	return judge_again(opinion);
}

int opinion_new(struct opinion **ret_opinion, struct kernel *kernel, const struct policy *policy)
{
	struct opinion *opinion = calloc(1, sizeof(*opinion));
	int ret;

	if (!opinion)
		return -ENOMEM;
	opinion->kernel = kernel;
	opinion->policy = policy;
	pthread_mutex_init(&opinion->lock, NULL);
	ret = start(opinion);
	if (ret) {
		opinion_free(opinion);
		return ret;
	}
	*ret_opinion = opinion;
	return 0;
}

void opinion_free(struct opinion *opinion)
{
	if (!opinion)
		return;
	judge_free(opinion->judge);
	policy_tables_free(opinion->tables);
	places_free(opinion->places);
	certificates_free(opinion->certificates);
	free(opinion);
}

/* ---- for the controller -------------------------------------------------------------------- */

void opinion_lock(struct opinion *opinion, struct policy_facts *ret_facts)
{
	pthread_mutex_lock(&opinion->lock);
	*ret_facts = certificates_facts(opinion->certificates);
	if (opinion->places)
		places_facts(opinion->places, ret_facts);
}

int opinion_unlock(struct opinion *opinion, const struct policy *policy)
{
	int ret = 0;

	if (policy) {
		opinion->policy = policy;
		opinion->number++;
		ret = judge_again(opinion);
	}
	pthread_mutex_unlock(&opinion->lock);
	return ret;
}

bool opinion_refresh(struct opinion *opinion)
{
	bool changed;

	pthread_mutex_lock(&opinion->lock);
	changed = opinion->places && places_refresh(opinion->places);
	weigh_late(opinion);
	pthread_mutex_unlock(&opinion->lock);
	return changed;
}

/* ---- for those who answer ------------------------------------------------------------------ */

bool opinion_wants_digest(const struct opinion *opinion)
{
	return __atomic_load_n(&opinion->matchers, __ATOMIC_RELAXED) & 1u << POLICY_SHA256;
}

bool opinion_is_canary(const struct opinion *opinion, const __u8 digest[32])
{
	return !memcmp(digest, opinion->canary, sizeof(opinion->canary));
}

int opinion_learn(struct opinion *opinion, struct identity *identity)
{
	cleanup(policy_tables_freep) struct policy_tables *tables = NULL;
	struct policy_facts fresh;
	int ret;

	pthread_mutex_lock(&opinion->lock);
	ret = certificates_add(opinion->certificates, identity, &fresh);
	if (!ret && fresh.cert_count)
		ret = policy_compile_certificates(opinion->policy, &fresh, &tables);
	if (!ret && tables && tables->key_count)
		ret = judge_again(opinion);
	pthread_mutex_unlock(&opinion->lock);
	return ret;
}

struct debar_key opinion_place(struct opinion *opinion, int fd)
{
	struct debar_key place = {};

	pthread_mutex_lock(&opinion->lock);
	if (opinion->places)
		place = places_find(opinion->places, fd);
	pthread_mutex_unlock(&opinion->lock);
	return place;
}

bool opinion_has_places(const struct opinion *opinion)
{
	return opinion->places;
}

struct verdict opinion_of(struct opinion *opinion, const struct debar_key *keys, size_t count,
			  bool overflow, enum debar_because *because, unsigned int *ret_policy)
{
	int64_t utc = clock_ns(CLOCK_REALTIME);
	struct verdict verdict = {};

	pthread_mutex_lock(&opinion->lock);
	*ret_policy = opinion->number;
	enter_phases(opinion->tables, utc);
	if (*because == DEBAR_BECAUSE_RULE) {
		verdict = judge_file(opinion->judge, keys, count, utc);
		if (overflow && verdict.action != DEBAR_DENY)
			*because = DEBAR_BECAUSE_OVERFLOW;
	}
	if (*because != DEBAR_BECAUSE_RULE)
		verdict = judge_without(opinion->judge, *because, keys, count, utc);
	pthread_mutex_unlock(&opinion->lock);
	return verdict;
}

void opinion_while(struct opinion *opinion, unsigned int policy, void (*fn)(void *ctx), void *ctx)
{
	pthread_mutex_lock(&opinion->lock);
	if (opinion->number == policy)
		fn(ctx);
	pthread_mutex_unlock(&opinion->lock);
}

bool opinion_earnest(const struct opinion *opinion)
{
	const struct debar_state *state = kernel_state(opinion->kernel);

	return state->mode == DEBAR_MODE_ENFORCE &&
	       (!state->deny_until || clock_ns(CLOCK_BOOTTIME) < state->deny_until);
}

bool opinion_late_denies(const struct opinion *opinion)
{
	return __atomic_load_n(&opinion->late_denies, __ATOMIC_RELAXED);
}
