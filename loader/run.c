// SPDX-License-Identifier: MIT
/*
 * The controller: puts the policy into force, then waits for records, signals and requests. It
 * decides nothing about an act: the kernel goes on without it.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "loader/boots.h"
#include "loader/certificates.h"
#include "loader/cgroups.h"
#include "loader/commands.h"
#include "loader/control.h"
#include "loader/coverage.h"
#include "loader/enforce.h"
#include "loader/gate.h"
#include "loader/hold.h"
#include "loader/identity/identity.h"
#include "loader/kernel.h"
#include "loader/latest.h"
#include "loader/lock.h"
#include "loader/message.h"
#include "loader/notify.h"
#include "loader/recorder.h"
#include "loader/report.h"
#include "loader/spared.h"
#include "loader/store.h"
#include "loader/sweeper.h"
#include "loader/watchdog.h"
#include "policy/cleanup.h"
#include "policy/policy.h"

#define HEARTBEAT_MS 500
#define NOTE_SECONDS 600    /* between the times that the clock is remembered */
#define EVENTS_WAIT_MS 5000 /* a follower sees a controller in a fifth of one second */
#define SPARED_SECONDS 10   /* how long an address may be new and not spared */

struct controller {
	struct enforce_options *options;
	struct kernel *kernel;
	struct recorder *recorder;
	struct notify_clock alive;
	struct policy *policy;
	struct watchdog *watchdog;
	struct hold *hold;	   /* NULL: the policy asks for nothing that needs one */
	struct gate *gate;	   /* gate mode: in the place of all programs about files */
	pthread_mutex_t hold_lock; /* whoever but this thread uses it, and who exchanges it */
	struct sweeper *sweeper;
	struct boots_watch *boots; /* NULL: this boot is not watched */
	unsigned int phases;	   /* begun, of all bans */
	bool places;		   /* the hold was started for paths or packages, too */
	__u64 cgroups;		   /* cgroups_now() when the policy was put into force */
	time_t spared;		   /* boot clock, when addresses were last looked at */
	bool prepared;		   /* what runs was classified */
	bool stop;
	time_t noted; /* when the clock was remembered */
};

static void tell_manager(struct controller *controller, void (*tell)(const char *status))
{
	char line[ENFORCE_LINE_MAX];

	tell(enforce_line(controller->kernel, line));
}

static int swap(struct controller *controller, struct policy *policy)
{
	struct policy_facts facts = {};
	cleanup(cleanup_fd) int change = -1;
	int ret = controller->hold ? hold_find_copies(controller->hold, policy) : 0;

	if (ret)
		message_warning("copies of files of banned packages are not known: %s",
				strerror(-ret));
	change = lock_change();
	if (change < 0)
		return message_error(change, "cannot lock %s: %s", RUN_DIR, strerror(-change));
	if (controller->hold)
		hold_lock(controller->hold, &facts);
	if (controller->gate)
		gate_lock(controller->gate, &facts);
	controller->cgroups = cgroups_now(policy);
	controller->options->ready = controller->hold && controller->prepared;
	ret = enforce_swap(controller->kernel, controller->options, policy, &facts);
	if (controller->hold)
		hold_unlock(controller->hold, ret ? NULL : policy);
	if (controller->gate && gate_unlock(controller->gate, ret ? NULL : policy))
		return message_error(ENOMEM, "cannot judge files by the new policy: out of memory");
	return ret;
}

/* ---- what runs already -------------------------------------------------------------------- */

/* In the sweep's thread. */
static void learn(void *ctx, int fd, struct identity *identity, struct debar_key *ret_place)
{
	struct controller *controller = ctx;

	pthread_mutex_lock(&controller->hold_lock);
	if (controller->hold)
		hold_learn(controller->hold, fd, identity, ret_place);
	else
		identity_free(identity);
	pthread_mutex_unlock(&controller->hold_lock);
}

/* In any thread: something banned was recognised when it ran already. */
static void sweep_late(void *ctx)
{
	struct controller *controller = ctx;

	sweeper_ask(controller->sweeper, false);
}

/* A phase that begins is a policy that arrives: what runs is looked through for it. */
static void follow_phases(struct controller *controller)
{
	unsigned int begun = kernel_phases_begun(controller->kernel);

	if (begun != controller->phases)
		sweeper_ask(controller->sweeper, true);
	controller->phases = begun;
}

static void tell_running(void *ctx, const struct debar_event *event)
{
	struct controller *controller = ctx;

	(void)recorder_note(controller->recorder, event);
}

/* ---- policies ------------------------------------------------------------------------------ */

/* With the rules about files in force, it is tried whether anybody is asked. */
static int follow_gate(struct controller *controller, bool places)
{
	struct kernel_error error = {};
	int ret;

	if (controller->gate && places == controller->places)
		return 0;
	gate_stop(take(controller->gate));
	ret = gate_start(&controller->gate, controller->kernel, controller->policy,
			 controller->watchdog);
	if (ret)
		return message_error(ret, "cannot ask about programs: %s", strerror(-ret));
	controller->places = places;
	ret = places ? swap(controller, controller->policy) : 0;
	if (!ret)
		ret = kernel_canary(controller->kernel, &error);
	return ret && error.text[0] ? message_kernel(ret, &error) : ret;
}

/*
 * `unclassified: deny` does not speak before the machine's own programs are known. Until then, and
 * where that fails, what is unknown is held, but not refused.
 */
static int prepare(struct controller *controller)
{
	int ret;

	if (controller->prepared || !enforce_refuses_unknown(controller->policy))
		return 0;
	ret = hold_prepare(controller->hold);
	if (ret)
		return message_error(ret, "cannot classify what runs: %s", strerror(-ret));
	controller->prepared = true;
	return swap(controller, controller->policy);
}

/*
 * Nobody is held for a policy of digests: a fanotify mark costs every first exec of a file. The
 * packages that a hold was started with are part of the policy, so they are compiled in at once.
 */
static int follow_policy(struct controller *controller)
{
	bool places = enforce_needs_places(controller->policy);
	int ret;

	if (kernel_parts(controller->kernel) & KERNEL_GATE)
		return follow_gate(controller, places);
	if (controller->hold && places == controller->places)
		return prepare(controller);
	pthread_mutex_lock(&controller->hold_lock);
	hold_stop(take(controller->hold));
	ret = enforce_needs_hold(controller->policy) ?
		      hold_start(&controller->hold, controller->kernel, controller->policy, places,
				 controller->watchdog) :
		      0;
	pthread_mutex_unlock(&controller->hold_lock);
	if (ret)
		return message_error(ret, "cannot hold unknown programs: %s", strerror(-ret));
	if (!controller->hold)
		return 0;
	hold_watch_late(controller->hold, sweep_late, controller);
	controller->places = places;
	/*
	 * Its certificates are yet to be seen, in what another controller had classified, too: all
	 * of it is asked about once more, by who holds now. A new generation forgets what the last
	 * one took for clean.
	 */
	if (enforce_needs_certificates(controller->policy)) {
		kernel_contents_forget(controller->kernel);
		controller->prepared = false;
	} else if (!places) {
		return prepare(controller);
	}
	ret = swap(controller, controller->policy);
	return ret ? ret : prepare(controller);
}

/* SIGHUP and `debar reload`: a policy that cannot be read, or that shrank, leaves the old one. */
static int reload(struct controller *controller, bool force)
{
	cleanup(policy_freep) struct policy *policy = NULL;
	int ret;

	controller->options->force = force;
	controller->options->deny_until = kernel_state(controller->kernel)->deny_until;
	ret = enforce_read(controller->options, &policy);
	if (ret)
		return ret;
	recorder_read(controller->recorder, 0); /* while its rules can still be named */
	controller->options->vouch = force;
	ret = swap(controller, policy);
	controller->options->vouch = false;
	if (ret)
		return ret;
	policy_free(controller->policy);
	controller->policy = take(policy);
	ret = follow_policy(controller);
	controller->phases = kernel_phases_begun(controller->kernel);
	sweeper_ask(controller->sweeper, true);
	enforce_tell(controller->kernel, "reloaded", controller->options->json);
	fflush(stdout);
	tell_manager(controller, notify_status);
	return ret;
}

/* Hooks ask through the ring for what fanotify does not see; some wait. */
static void watch(void *ctx, const struct debar_event *event)
{
	struct controller *controller = ctx;

	if (controller->hold && event->because == DEBAR_BECAUSE_UNCLASSIFIED)
		hold_answer(controller->hold, event);
}

/* Who signed it, of what has been read since this controller began. */
static bool name_signer(void *ctx, const struct debar_key *key, char *ret_name, size_t size)
{
	struct controller *controller = ctx;
	struct policy_facts facts = {};
	bool found;

	if (key->kind != DEBAR_KEY_CERT_LEAF && key->kind != DEBAR_KEY_CERT_CHAIN)
		return false;
	if (controller->hold)
		hold_lock(controller->hold, &facts);
	if (controller->gate)
		gate_lock(controller->gate, &facts);
	found = certificates_name(&facts, key, ret_name, size);
	if (controller->hold)
		hold_unlock(controller->hold, NULL);
	if (controller->gate)
		gate_unlock(controller->gate, NULL);
	return found;
}

static int print_line(void *ctx, const char *line)
{
	const struct controller *controller = ctx;
	cleanup(cleanup_free) char *text = NULL;
	json_t *event;

	if (controller->options->json) {
		puts(line);
	} else {
		event = json_loads(line, 0, NULL);
		if (event && !report_text(event, isatty(STDOUT_FILENO), &text))
			puts(text);
		json_decref(event);
	}
	fflush(stdout); /* nobody reading the output does not end enforcement */
	return 0;
}

static void take_signal(struct controller *controller, int signals)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo != SIGHUP)
		controller->stop = true;
	else if (reload(controller, false))
		message_warning("the policy in force stays");
}

static void take_request(struct controller *controller, int control)
{
	struct control_request request;
	int client = control_accept(control, &request);

	if (client < 0)
		return;
	control_answer(client, reload(controller, request.force));
	close(client);
}

/* Which way it works, when it is not the one that stays, and what that leaves uncovered. */
static void tell_gaps(struct controller *controller)
{
	cleanup(policy_book_freep) struct policy_book *book = NULL;
	const char *gaps[COVERAGE_GAPS_MAX];
	size_t count;

	(void)store_book(kernel_state(controller->kernel)->generation, &book);
	count = coverage_gaps(kernel_parts(controller->kernel), book, gaps);
	if (count)
		message_info(
			"gate mode: fanotify asks about exec, and opens of what could be code, "
			"while this controller runs");
	for (size_t i = 0; i < count; i++)
		message_info("not covered: %s", gaps[i]);
}

/* What gate mode found since the last round, and what it counted. */
static void read_gate(struct controller *controller)
{
	__u64 counters[DEBAR_COUNTER_MAX];
	struct debar_event event;

	if (!controller->gate)
		return;
	while (gate_take(controller->gate, &event))
		recorder_take(controller->recorder, &event);
	gate_counters(controller->gate, counters);
	kernel_counters_put(controller->kernel, counters);
}

static bool refresh(struct controller *controller)
{
	if (controller->gate)
		return gate_refresh(controller->gate);
	return controller->hold && hold_refresh(controller->hold);
}

static void heartbeat(struct controller *controller)
{
	struct debar_state *state = kernel_state(controller->kernel);
	struct timespec now, tai;

	if (!controller->hold && !controller->gate) { /* else its own thread says so */
		clock_gettime(CLOCK_BOOTTIME, &now);
		__atomic_store_n(&state->heartbeat, now.tv_sec * 1000000000LL + now.tv_nsec,
				 __ATOMIC_RELAXED);
	}
	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_TAI, &tai);
	__atomic_store_n(&state->utc_offset,
			 (now.tv_sec - tai.tv_sec) * 1000000000LL + now.tv_nsec - tai.tv_nsec,
			 __ATOMIC_RELAXED);
	if (now.tv_sec >= controller->noted + NOTE_SECONDS || now.tv_sec < controller->noted) {
		latest_note();
		controller->noted = now.tv_sec;
	}
}

/* Addresses of this host come and go. */
static void look_at_addresses(struct controller *controller)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	if (!(kernel_parts(controller->kernel) & KERNEL_NETWORK) ||
	    now.tv_sec - controller->spared < SPARED_SECONDS)
		return;
	controller->spared = now.tv_sec;
	(void)spared_refresh(controller->kernel);
}

/* An exception is for a cgroup by its path: one that was made again has another number. */
static void look_at_cgroups(struct controller *controller)
{
	if (policy_matchers(controller->policy) & 1u << POLICY_CGROUP &&
	    cgroups_now(controller->policy) != controller->cgroups)
		(void)swap(controller, controller->policy);
}

static int serve(struct controller *controller, int signals, int control)
{
	struct pollfd polled[] = {
		{ .fd = kernel_events_fd(controller->kernel), .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
		{ .fd = control, .events = POLLIN },
		{ .fd = sweeper_fd(controller->sweeper), .events = POLLIN },
		{ .events = POLLIN }, /* the gate's, which a reload may replace */
	};

	while (!controller->stop) {
		polled[4].fd = controller->gate ? gate_fd(controller->gate) : -1;
		if (poll(polled, 5, HEARTBEAT_MS) < 0 && errno != EINTR)
			return message_error(errno, "cannot wait: %m");
		heartbeat(controller);
		look_at_addresses(controller);
		look_at_cgroups(controller);
		notify_alive(&controller->alive);
		boots_tick(controller->boots);
		recorder_read(controller->recorder, 0);
		read_gate(controller);
		recorder_tick(controller->recorder);
		if (polled[3].revents)
			sweeper_pass(controller->sweeper, tell_running, controller);
		follow_phases(controller);
		if (refresh(controller))
			(void)swap(controller, controller->policy); /* for rules by package */
		if (polled[1].revents)
			take_signal(controller, signals);
		if (polled[2].revents)
			take_request(controller, control);
	}
	return 0;
}

static int catch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Who follows the events lets go of them when it sees that a controller has come. */
static int take_events(struct controller *controller, struct recorder **ret_recorder)
{
	int ret, waited;

	for (waited = 0;; waited += HEARTBEAT_MS / 10) {
		ret = recorder_new(ret_recorder, controller->kernel, print_line, controller);
		if (ret != -EBUSY || waited >= EVENTS_WAIT_MS)
			break;
		poll(NULL, 0, HEARTBEAT_MS / 10);
	}
	if (ret)
		message_error(ret, "cannot keep events in %s: %s", RUN_DIR, strerror(-ret));
	if (ret == -EBUSY)
		message_hint("another debar reads them and does not let go: end it");
	return ret;
}

static int run(struct enforce_options *options)
{
	cleanup(policy_freep) struct policy *policy = NULL;
	cleanup(kernel_freep) struct kernel *kernel = NULL;
	cleanup(recorder_freep) struct recorder *recorder = NULL;
	cleanup(cleanup_fd) int signals = catch_signals(), lock = -1, control = -1;
	struct controller controller = { .options = options,
					 .hold_lock = PTHREAD_MUTEX_INITIALIZER };
	struct sweep_options sweep = { .learn = learn, .learn_ctx = &controller };
	pid_t other = 0;
	int ret = enforce_read_start(options, &policy);

	if (ret)
		return ret;
	if (geteuid())
		return message_error(EPERM, "only root may load programs into the kernel");
	ret = watchdog_start(&controller.watchdog);
	if (ret)
		return message_error(ret, "cannot start the watchdog: %s", strerror(-ret));
	lock = lock_controller(&other);
	if (lock == -EBUSY) {
		message_error(EBUSY, "a controller runs as pid %d", other);
		message_hint("debar reload gives it the policy again");
		return lock;
	}
	if (lock < 0)
		return message_error(lock, "cannot lock %s: %s", RUN_DIR, strerror(-lock));
	if (!options->audit && !options->guard && !options->cgroup &&
	    boots_start(&controller.boots))
		options->audit = true;
	ret = enforce_start(options, policy, &kernel);
	if (ret)
		return ret;
	controller.kernel = kernel;
	ret = take_events(&controller, &recorder);
	if (ret)
		return ret;
	control = control_listen();
	if (control < 0)
		return message_error(control, "cannot listen in %s: %s", RUN_DIR,
				     strerror(-control));
	controller.recorder = recorder;
	kernel_state(kernel)->controller = getpid();
	controller.policy = take(policy);
	controller.cgroups = cgroups_now(controller.policy);
	recorder_watch(recorder, watch, &controller);
	recorder_name(recorder, name_signer, &controller);
	sweep.kernel = kernel;
	ret = sweeper_start(&controller.sweeper, &sweep);
	if (ret)
		return message_error(ret, "cannot look through what runs: %s", strerror(-ret));
	ret = follow_policy(&controller);
	if (ret)
		return ret;
	controller.phases = kernel_phases_begun(kernel);
	sweeper_ask(controller.sweeper, true);
	tell_gaps(&controller);
	enforce_tell(kernel, "running", options->json);
	fflush(stdout);
	tell_manager(&controller, notify_ready);
	ret = serve(&controller, signals, control);
	notify_stopping();
	boots_end(controller.boots);
	kernel_state(kernel)->controller = 0;
	sweeper_stop(controller.sweeper);
	hold_stop(take(controller.hold));
	read_gate(&controller);
	gate_stop(take(controller.gate));
	watchdog_stop(controller.watchdog);
	policy_free(controller.policy);
	message_info("stopped; %s (debar unload takes it off)",
		     kernel_parts(kernel) & KERNEL_GATE ?
			     "programs are not refused any more; what is about names and networks "
			     "stays in force" :
			     "what is loaded stays in force");
	return ret;
}

int cmd_run(int argc, char **argv)
{
	cleanup(enforce_options_free) struct enforce_options options = {};

	if (enforce_options_read(&options, "pagmcdtfxj", argc, argv))
		return EXIT_ERROR;
	if (enforce_off_at_boot(&options)) {
		notify_ready("debar=off on the kernel command line: nothing is enforced");
		return EXIT_DONE;
	}
	options.resident = true;
	return run(&options) ? EXIT_ERROR : EXIT_DONE;
}
