/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/pod.h"

#include "base/clock.h"
#include "base/mem.h"
#include "doc/hash.h"

/* What a Pod's template asks to go wrong. */
enum fail { FAIL_NONE, FAIL_IMAGE_PULL, FAIL_CRASH_LOOP, FAIL_OOM, FAIL_UNSCHEDULABLE, FAIL_SLOW };

static const char *const fail_names[] = {
        [FAIL_IMAGE_PULL] = "image-pull",
        [FAIL_CRASH_LOOP] = "crash-loop",
        [FAIL_OOM] = "oom",
        [FAIL_UNSCHEDULABLE] = "unschedulable",
        [FAIL_SLOW] = "slow",
};

/* The times of a usual machine, in milliseconds. */
enum {
    START_MS = 300,     /* from bound to running */
    WORK_MS = 1000,     /* of a container that is meant to end */
    SLOW_MS = 30000,    /* until a slow one is ready */
    PULL_MS = 1500,     /* from the first failed pull to the back-off */
    CRASH_MS = 700,     /* a crashing container's life */
    BACKOFF_MS = 10000, /* doubled at each restart */
    BACKOFF_MAX_MS = 300000,
    STOP_MS = 100, /* from SIGTERM to the end */
};

enum step {
    STEP_NEW,
    STEP_STARTING,
    STEP_RUNNING,
    STEP_FAILED, /* waits with an error; goes on by itself only when it restarts */
};

struct life {
    enum step step;
    int64_t due_ms; /* monotonic */
    int restarts;
    bool is_stopping;
};

/* How all containers of the Pod are to look. */
struct look {
    const char *phase;
    bool ready;
    bool running;
    const char *waiting; /* reason */
    str waiting_message;
    const char *ended; /* reason of state.terminated */
    const char *last;  /* reason of lastState.terminated */
    int exit_code;
    int restarts;
};

static enum fail fail_of(const struct val *pod)
{
    str word = object_annotation(pod, S("sandbox.taut.dev/fail"));

    if (str_is_empty(word))
        word = object_label(pod, S("sandbox.taut.dev/fail"));
    for (size_t i = FAIL_IMAGE_PULL; i < COUNT(fail_names); i++)
        if (str_eq(word, str_from(fail_names[i])))
            return (enum fail)i;
    return FAIL_NONE;
}

/* ---- status ---- */

static struct val state_of(struct world_key *key, const struct look *look)
{
    struct arena *arena = key->at;
    struct val state = val_map();

    if (look->running) {
        val_set_str(arena, val_ensure_map(arena, &state, S("running")), S("startedAt"),
                    world_now(key));
    } else if (look->ended != NULL) {
        struct val *ended = val_ensure_map(arena, &state, S("terminated"));
        val_set(arena, ended, S("exitCode"), val_int(arena, look->exit_code));
        val_set_str(arena, ended, S("reason"), str_from(look->ended));
        val_set_str(arena, ended, S("startedAt"), world_now(key));
        val_set_str(arena, ended, S("finishedAt"), world_now(key));
    } else {
        struct val *waiting = val_ensure_map(arena, &state, S("waiting"));
        val_set_str(arena, waiting, S("reason"), str_from(look->waiting));
        if (!str_is_empty(look->waiting_message))
            val_set_str(arena, waiting, S("message"), look->waiting_message);
    }
    return state;
}

static struct val container_status(struct world_key *key, const struct val *pod,
                                   const struct val *container, const struct look *look)
{
    struct arena *arena = key->at;
    struct val status = val_map();
    str name = val_get_str(container, S("name"));
    str image = val_get_str(container, S("image"));
    bool was_pulled = look->waiting == NULL || look->last != NULL;
    struct hash id = hash_bytes(
            arena_printf(arena, "%.*s/%.*s/%d", STR(object_uid(pod)), STR(name), look->restarts));
    struct hash digest = hash_bytes(image);
    char hex[HASH_HEX_SIZE];

    val_set_str(arena, &status, S("name"), name);
    val_set_str(arena, &status, S("image"), image);
    hash_hex(&digest, hex);
    val_set(arena, &status, S("imageID"),
            was_pulled ? val_string_borrow(
                                 arena_printf(arena, "sandbox.taut.dev/image@sha256:%s", hex))
                       : val_string(arena, STR_EMPTY));
    if (was_pulled) {
        hash_hex(&id, hex);
        val_set(arena, &status, S("containerID"),
                val_string_borrow(arena_printf(arena, "sandbox://%s", hex)));
    }
    val_set(arena, &status, S("ready"), val_bool(look->ready));
    val_set(arena, &status, S("started"), val_bool(look->running));
    val_set(arena, &status, S("restartCount"), val_int(arena, look->restarts));
    val_set(arena, &status, S("state"), state_of(key, look));
    struct val last = val_map();
    if (look->last != NULL) {
        struct look ended = {.ended = look->last, .exit_code = look->exit_code};
        last = state_of(key, &ended);
    }
    val_set(arena, &status, S("lastState"), last);
    return status;
}

static void set_conditions(struct world_key *key, struct val *status, const struct look *look)
{
    static const char not_ready[] = "ContainersNotReady";
    struct val conditions = val_list();
    const struct val *old = val_get(status, S("conditions"));
    bool is_done = look->ended != NULL && look->exit_code == 0;
    const char *reason = look->ready ? NULL : is_done ? "PodCompleted" : not_ready;
    str message = look->ready || is_done ? STR_EMPTY : S("containers with unready status");

    pod_condition(key, &conditions, old, "PodReadyToStartContainers", look->ended == NULL, NULL,
                  STR_EMPTY);
    pod_condition(key, &conditions, old, "Initialized", true, is_done ? "PodCompleted" : NULL,
                  STR_EMPTY);
    pod_condition(key, &conditions, old, "Ready", look->ready, reason, message);
    pod_condition(key, &conditions, old, "ContainersReady", look->ready, reason, message);
    pod_condition(key, &conditions, old, "PodScheduled", true, NULL, STR_EMPTY);
    val_set(key->at, status, S("conditions"), conditions);
}

/* 10.244.x.y by the uid: good enough to look at. */
static void set_addresses(struct world_key *key, const struct val *pod, struct val *status)
{
    struct arena *arena = key->at;
    struct hash hash = hash_bytes(object_uid(pod));
    str ip = arena_printf(arena, "10.244.%d.%d", hash.bytes[0], MAX(hash.bytes[1], 2));
    struct val ips = val_list();
    struct val hosts = val_list();

    val_set_str(arena, status, S("hostIP"), S("127.0.0.1"));
    val_set_str(arena, val_append(arena, &hosts, val_map()), S("ip"), S("127.0.0.1"));
    val_set(arena, status, S("hostIPs"), hosts);
    val_set_str(arena, status, S("podIP"), ip);
    val_set_str(arena, val_append(arena, &ips, val_map()), S("ip"), ip);
    val_set(arena, status, S("podIPs"), ips);
    if (val_get(status, S("startTime")) == NULL)
        val_set_str(arena, status, S("startTime"), world_now(key));
}

static void show(struct world_key *key, const struct val *pod, const struct look *look)
{
    struct arena *arena = key->at;
    struct val status = val_dup_value(arena, val_get(pod, S("status")));
    struct val containers = val_list();
    struct val inits = val_list();
    struct val_iter it = val_iter(VAL_AT(pod, "spec", "containers"));
    struct look done = {.ended = "Completed"};

    if (!val_is(&status, VAL_MAP))
        status = val_map();
    val_set_str(arena, &status, S("phase"), str_from(look->phase));
    set_conditions(key, &status, look);
    set_addresses(key, pod, &status);
    while (val_next(&it))
        val_append(arena, &containers, container_status(key, pod, it.value, look));
    val_set(arena, &status, S("containerStatuses"), containers);
    it = val_iter(VAL_AT(pod, "spec", "initContainers"));
    while (val_next(&it))
        val_append(arena, &inits, container_status(key, pod, it.value, &done));
    if (val_count(&inits) > 0)
        val_set(arena, &status, S("initContainerStatuses"), inits);
    world_status(key, pod, "kubelet", &status);
}

/* ---- scheduling ---- */

static void schedule(struct world_key *key, const struct val *pod)
{
    struct arena *arena = key->at;
    struct thing *thing = world_find(key->world, WORLD_POD, key->namespace_, key->name);
    struct val patch = val_map();

    if (fail_of(pod) != FAIL_UNSCHEDULABLE) {
        val_set_str(arena, val_ensure_map(arena, &patch, S("spec")), S("nodeName"), S(POD_NODE));
        world_patch(key, thing, NULL, "kube-scheduler", &patch);
        return;
    }
    str message = S("0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are "
                    "available: 1 No preemption victims found for incoming pod.");
    struct val status = val_dup_value(arena, val_get(pod, S("status")));
    struct val conditions = val_list();
    const struct val *old = VAL_AT(pod, "status", "conditions");
    if (val_count(old) > 0)
        return;
    if (!val_is(&status, VAL_MAP))
        status = val_map();
    pod_condition(key, &conditions, old, "PodScheduled", false, "Unschedulable", message);
    val_set(arena, &status, S("conditions"), conditions);
    val_set_str(arena, &status, S("phase"), S("Pending"));
    world_event(key, pod, "default-scheduler", "Warning", "FailedScheduling", message);
    world_status(key, pod, "kube-scheduler", &status);
}

/* ---- a container's ways ---- */

static str first_image(const struct val *pod)
{
    return val_get_str(val_item(VAL_AT(pod, "spec", "containers"), 0), S("image"));
}

static void wait_for(struct world_key *key, struct life *life, enum step step, int64_t usual_ms)
{
    int64_t delay = world_delay(key->world, usual_ms);

    life->step = step;
    life->due_ms = clock_mono_ms() + delay;
    world_later(key, delay);
}

static void fail_pull(struct world_key *key, const struct val *pod, struct life *life)
{
    struct arena *arena = key->at;
    str image = first_image(pod);
    str back_off = arena_printf(arena, "Back-off pulling image \"%.*s\"", STR(image));
    str error = arena_printf(arena,
                             "failed to pull and unpack image \"%.*s\": failed to resolve "
                             "reference \"%.*s\": %.*s: not found",
                             STR(image), STR(image), STR(image));

    if (life->step == STEP_STARTING) {
        struct look look = {
                .phase = "Pending", .waiting = "ErrImagePull", .waiting_message = error};
        world_event(
                key, pod, "kubelet", "Warning", "Failed",
                arena_printf(arena, "Failed to pull image \"%.*s\": %.*s", STR(image), STR(error)));
        world_event(key, pod, "kubelet", "Warning", "Failed", S("Error: ErrImagePull"));
        show(key, pod, &look);
        wait_for(key, life, STEP_RUNNING, PULL_MS);
        return;
    }
    struct look look = {.phase = "Pending",
                        .waiting = "ImagePullBackOff",
                        .waiting_message =
                                arena_printf(arena, "%.*s: %.*s", STR(back_off), STR(error))};
    world_event(key, pod, "kubelet", "Normal", "BackOff", back_off);
    world_event(key, pod, "kubelet", "Warning", "Failed", S("Error: ImagePullBackOff"));
    show(key, pod, &look);
    life->step = STEP_FAILED;
    life->due_ms = INT64_MAX;
}

static void fail_container(struct world_key *key, const struct val *pod, struct life *life,
                           enum fail fail)
{
    struct arena *arena = key->at;
    const char *reason = fail == FAIL_OOM ? "OOMKilled" : "Error";
    int exit_code = fail == FAIL_OOM ? 137 : 1;
    str container = val_get_str(val_item(VAL_AT(pod, "spec", "containers"), 0), S("name"));
    bool never = str_eq(VAL_STR(pod, "spec", "restartPolicy"), S("Never"));

    if (life->step != STEP_RUNNING) {
        /* Once more. */
        struct look look = {.phase = "Running",
                            .running = true,
                            .restarts = life->restarts,
                            .last = life->restarts > 0 ? reason : NULL,
                            .exit_code = exit_code};
        show(key, pod, &look);
        wait_for(key, life, STEP_RUNNING, CRASH_MS);
        return;
    }
    if (never) {
        struct look look = {.phase = "Failed", .ended = reason, .exit_code = exit_code};
        show(key, pod, &look);
        life->due_ms = INT64_MAX;
        return;
    }
    int64_t pause = MIN((int64_t)BACKOFF_MS << MIN(life->restarts, 8), (int64_t)BACKOFF_MAX_MS);
    life->restarts++;
    str message = arena_printf(
            arena, "Back-off restarting failed container %.*s in pod %.*s_%.*s(%.*s)",
            STR(container), STR(key->name), STR(key->namespace_), STR(object_uid(pod)));
    struct look look = {
            .phase = "Running",
            .waiting = "CrashLoopBackOff",
            .waiting_message = arena_printf(
                    arena, "back-off %llds restarting failed container=%.*s pod=%.*s_%.*s(%.*s)",
                    (long long)pause / 1000, STR(container), STR(key->name), STR(key->namespace_),
                    STR(object_uid(pod))),
            .last = reason,
            .exit_code = exit_code,
            .restarts = life->restarts};
    world_event(key, pod, "kubelet", "Warning", "BackOff", message);
    show(key, pod, &look);
    wait_for(key, life, STEP_FAILED, pause);
}

static void run(struct world_key *key, const struct val *pod, struct life *life, bool is_slow)
{
    bool is_endless = str_eq(VAL_STR(pod, "spec", "restartPolicy"), S("Always"));
    bool is_late = life->step == STEP_RUNNING;
    struct look running = {.phase = "Running", .running = true, .ready = !is_slow || is_late};
    struct look done = {.phase = "Succeeded", .ended = "Completed"};

    if (is_late && !is_endless) {
        show(key, pod, &done);
        life->due_ms = INT64_MAX;
        return;
    }
    show(key, pod, &running);
    if (is_slow && !is_late) {
        world_event(key, pod, "kubelet", "Warning", "Unhealthy",
                    S("Readiness probe failed: the sandbox was asked to be slow"));
        wait_for(key, life, STEP_RUNNING, SLOW_MS);
    } else if (!is_endless) {
        wait_for(key, life, STEP_RUNNING, WORK_MS);
    } else {
        life->due_ms = INT64_MAX;
    }
}

/* After a restart of the sandbox what runs goes on running. */
static void begin_life(struct world_key *key, const struct val *pod, struct life *life,
                       enum fail fail)
{
    bool is_up = str_eq(VAL_STR(pod, "status", "phase"), S("Running")) && fail == FAIL_NONE;
    bool is_endless = str_eq(VAL_STR(pod, "spec", "restartPolicy"), S("Always"));
    const struct val *first = val_item(VAL_AT(pod, "status", "containerStatuses"), 0);

    life->restarts = (int)MIN(MAX(val_i64_or(val_get(first, S("restartCount")), 0), 0), 10000);
    wait_for(key, life, is_up ? STEP_RUNNING : STEP_STARTING, is_up ? WORK_MS : START_MS);
    if (is_up && is_endless)
        life->due_ms = INT64_MAX;
}

static void live(struct world_key *key, const struct val *pod, struct life *life)
{
    enum fail fail = fail_of(pod);

    if (life->step == STEP_NEW) {
        begin_life(key, pod, life, fail);
        return;
    }
    if (life->due_ms == INT64_MAX)
        return;
    if (clock_mono_ms() < life->due_ms) {
        world_later(key, life->due_ms - clock_mono_ms());
        return;
    }
    switch (fail) {
    case FAIL_IMAGE_PULL:
        fail_pull(key, pod, life);
        break;
    case FAIL_CRASH_LOOP:
    case FAIL_OOM:
        fail_container(key, pod, life, fail);
        break;
    case FAIL_NONE:
    case FAIL_UNSCHEDULABLE:
    case FAIL_SLOW:
        run(key, pod, life, fail == FAIL_SLOW);
        break;
    }
}

static void stop(struct world_key *key, struct life *life, const struct val *pod)
{
    if (val_count(VAL_AT(pod, "metadata", "finalizers")) > 0)
        return;
    if (!life->is_stopping) {
        life->is_stopping = true;
        life->due_ms = clock_mono_ms() + world_delay(key->world, STOP_MS);
    }
    if (clock_mono_ms() < life->due_ms)
        world_later(key, life->due_ms - clock_mono_ms());
    else
        world_delete(key, world_find(key->world, WORLD_POD, key->namespace_, key->name),
                     /*at_once=*/true);
}

void pod_reconcile(struct world_key *key, const struct val *pod)
{
    struct life *life = key->memo;
    str phase = VAL_STR(pod, "status", "phase");

    if (pod == NULL)
        return;
    if (life == NULL)
        key->memo = life = new0(struct life);
    if (VAL_AT(pod, "metadata", "deletionTimestamp") != NULL)
        stop(key, life, pod);
    else if (str_eq(phase, S("Succeeded")) || str_eq(phase, S("Failed")))
        return;
    else if (str_is_empty(VAL_STR(pod, "spec", "nodeName")))
        schedule(key, pod);
    else
        live(key, pod, life);
}
