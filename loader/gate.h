/* SPDX-License-Identifier: MIT */
/*
 * Gate mode: where the kernel has no usable BPF LSM, every exec, and every open of a file that could
 * be code, waits on a fanotify permission event while the controller says what the file is and what
 * the policy says of it. Nothing outlives the controller. What is clean and has no writers is not
 * asked about again until it is written to.
 */
#ifndef DEBAR_GATE_H
#define DEBAR_GATE_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/abi.h"

struct gate;
struct kernel;
struct policy;
struct policy_facts;
struct watchdog;

/* As hold_start(): @policy is in force in @kernel's maps already. Everything is borrowed. */
int gate_start(struct gate **ret_gate, struct kernel *kernel, const struct policy *policy,
	       struct watchdog *watchdog);

/* Lets everybody go and ends the threads. NULL is fine. */
void gate_stop(struct gate *gate);

/*
 * Around a swap: gate_lock() stands still with what was learnt so far in *ret_facts; gate_unlock()
 * goes on with @policy, which is in force by then, or as before when it is NULL. Every file is asked
 * about again.
 */
void gate_lock(struct gate *gate, struct policy_facts *ret_facts);
int gate_unlock(struct gate *gate, const struct policy *policy);

/* Looks whether packages came or went. True: the policy has to be compiled and swapped again. */
bool gate_refresh(struct gate *gate);

/* Polls readable when there is something to tell; the next event, false: no more. */
int gate_fd(const struct gate *gate);
bool gate_take(struct gate *gate, struct debar_event *ret_event);

/* What was counted since it was started. */
void gate_counters(struct gate *gate, __u64 ret_counters[DEBAR_COUNTER_MAX]);

#endif
