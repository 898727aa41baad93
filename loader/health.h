/* SPDX-License-Identifier: MIT */
/*
 * What is true now, as the kernel has it: gathered once, then printed by status.c. Nothing here is
 * what was meant; where both are known and differ, that is one of the reasons.
 */
#ifndef DEBAR_LOADER_HEALTH_H
#define DEBAR_LOADER_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

#include "bpf/abi_net.h"
#include "loader/coverage.h"
#include "loader/kernel.h"

struct policy;
struct policy_book;

#define HEALTH_REASONS_MAX 16

enum health_canary {
	HEALTH_CANARY_NOT_TRIED,
	HEALTH_CANARY_REFUSED,
	HEALTH_CANARY_RAN,
	HEALTH_CANARY_FAILED, /* could not be tried */
	HEALTH_CANARY_MAX
};

/* Are the programs on the network called? */
enum health_network {
	HEALTH_NETWORK_NONE, /* there are none */
	HEALTH_NETWORK_NOT_TRIED,
	HEALTH_NETWORK_ASKED,
	HEALTH_NETWORK_PASSED_BY,
	HEALTH_NETWORK_MAX
};

struct health {
	int64_t now; /* UTC nanoseconds */
	struct kernel_offer offer;
	int ftrace;  /* kernel.ftrace_enabled; -1: there is no such switch */
	bool loaded; /* the fields below are filled in */
	struct kernel *kernel;
	struct debar_state state;
	struct debar_head head;
	struct debar_ban bans[DEBAR_BANS_MAX];
	uint64_t counters[DEBAR_COUNTER_MAX];
	uint64_t memory, key_memory;
	enum health_canary canary;
	pid_t controller;	  /* that is alive; 0: none */
	struct policy_book *book; /* of the generation in force; NULL: not known */
	struct policy *policy;	  /* as the files have it now; NULL: not known, or broken */
	bool changed;		  /* the files are another policy than the one in force */
	size_t gap_count;	  /* what the way it works does not cover, in words */
	const char *gaps[COVERAGE_GAPS_MAX];
	enum health_network network;
	__u64 net_counters[DEBAR_NET_COUNTER_MAX];
	const char *audit; /* why it only reports; NULL: it does not */
	json_t *sweep;	   /* the tally of the sweep for this generation; NULL: none was, or yet */
	bool guarded;
	__u32 guard_switches; /* enum debar_guard_switch */
	size_t guard_owned;   /* objects of debar's that the guard knows */
	size_t never;	      /* contents that are never refused but by their sha256 */
	/* What --partial left out. */
	size_t left_out_count;
	char left_out[HEALTH_REASONS_MAX][128];
	/* Why it does not enforce as it is meant to, and what else a person should know. */
	size_t reason_count, note_count;
	char reasons[HEALTH_REASONS_MAX][256];
	char notes[HEALTH_REASONS_MAX][512];
};

/* 0, or -errno after a message: it cannot be known. */
int health_read(struct health *ret_health);
void health_release(struct health *health);

/* True: it works by fanotify, in gate mode. */
bool health_gated(const struct health *health);
/* One more of the reasons, or of the notes. */
void health_reason(struct health *health, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void health_note(struct health *health, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* What health_parts.c adds, of something that is loaded. */
void health_parts_read(struct health *health);
void health_parts_release(struct health *health);

/* The words of counters, in the order of the enum; NULL: out of range. */
const char *health_net_name(enum debar_net_counter counter);
const char *health_net_words(enum debar_net_counter counter);
const char *health_counter_name(enum debar_counter counter);
const char *health_counter_words(enum debar_counter counter);

/* The phase of ban @i that is in force, and the one after it or NULL. A clock set back leaves none. */
struct debar_phase health_phase(const struct health *health, size_t i);
const struct debar_phase *health_phase_next(const struct health *health, size_t i);

#endif
