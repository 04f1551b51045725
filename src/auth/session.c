/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log-in is a chain: wait (after wrong passwords of late) → check the password in the `hash`
 * process → store the session's hash in the user's Secret → wait until the watch has brought it.
 */
#include "auth/state.h"
#include "base/clock.h"
#include "base/mem.h"

#include <inttypes.h>

#define POLL_MS 10
#define POLL_MAX 500
/* Names that wrong passwords are remembered for; the oldest half is forgotten beyond. */
#define FAILURES_MAX 10000
#define FAILURE_MEMORY_MS (15 * 60 * 1000)
#define DELAY_FIRST_MS 250
#define DELAY_MAX_MS 8000
/* Wrong passwords that an address has before it is slowed: many people may share one. */
#define ADDRESS_FREE 10
#define IDLE_MS ((int64_t)AUTH_SESSION_IDLE_HOURS * 3600 * 1000)

/* An unknown name is checked against this, so that it takes as long as a known one. The hash of
 * random bytes that nobody kept. */
static const char nobody[] = "$argon2id$v=19$m=65536,t=2,p=1$PXwL6d3hffLXV7v8DBJU2Q$"
                             "J67u3H/iHvM6/14qyjMfL9tpklfEeIp3oGGwSFTacwU";

struct failure {
    int count;
    int64_t last_ms;
};

struct auth_login {
    struct auth *auth;
    struct auth_login *next;
    str name;
    str address;     /* "@ADDRESS", who tries */
    bool only_check; /* no session is made: done gets no id */
    struct secret *password;
    struct secret *id;
    struct loop_timer *timer;
    struct password_check *check;
    struct kube_call *call;
    int polls;
    auth_login_fn *done;
    void *owner;
};

static void login_free(struct auth_login *login)
{
    struct auth_login **at = &login->auth->logins;

    while (*at != login)
        at = &(*at)->next;
    *at = login->next;
    password_cancel(login->check);
    kube_cancel(login->call);
    loop_timer_free(login->timer);
    secret_free(login->password);
    secret_free(login->id);
    str_own_free(&login->name);
    str_own_free(&login->address);
    mem_free(login);
}

void auth_login_cancel(struct auth_login *login)
{
    if (login != NULL)
        login_free(login);
}

static void finish(struct auth_login *login, const struct err *err)
{
    auth_login_fn *done = login->done;
    void *owner = login->owner;
    auto_secret struct secret *id = TAKE(login->id);

    login_free(login);
    done(owner, err == NULL ? id : NULL, err);
}

/* ---- wrong passwords ---- */

static void clear(struct map *map)
{
    struct map_iter it = map_iter(map);

    while (map_next(&it))
        mem_free(it.value);
    map_clear(map);
}

static void note_failure(struct auth *auth, str name)
{
    struct failure *failure = map_get(auth->failures, name);

    if (failure == NULL) {
        if (map_count(auth->failures) >= FAILURES_MAX)
            clear(auth->failures);
        failure = new0(struct failure);
        map_set(auth->failures, name, failure);
    }
    failure->count = MIN(failure->count + 1, 30);
    failure->last_ms = clock_mono_ms();
}

/* `free` wrong passwords cost nothing. */
static int64_t delay_of(const struct auth *auth, str key, int free)
{
    const struct failure *failure = map_get(auth->failures, key);

    if (failure == NULL || failure->count <= free ||
        clock_mono_ms() - failure->last_ms > FAILURE_MEMORY_MS)
        return 0;
    return MIN((int64_t)DELAY_FIRST_MS << MIN(failure->count - free - 1, 10),
               (int64_t)DELAY_MAX_MS);
}

/* ---- the session ---- */

struct find {
    str name;
    const struct hash *hash;
    const struct user *user;
};

static void look_name(void *owner, UNUSED str namespace_, UNUSED str name, void *kept)
{
    struct find *find = owner;
    const struct user *user = kept;

    if (user != NULL && str_eq(user->name, find->name))
        find->user = user;
}

static void look_hash(void *owner, UNUSED str namespace_, UNUSED str name, void *kept)
{
    struct find *find = owner;
    const struct user *user = kept;

    if (user != NULL && user_find_session(user, find->hash) != NULL)
        find->user = user;
}

static const struct user *user_named(const struct auth *auth, str name)
{
    struct find find = {.name = name};

    if (auth->users != NULL)
        reflector_each(auth->users, look_name, &find);
    return find.user;
}

/* Ended while nobody used it. What was never seen by this process starts to count now. */
static bool is_idle(struct auth *auth, const struct hash *hash)
{
    char hex[HASH_HEX_SIZE];
    int64_t now = clock_mono_ms();

    hash_hex(hash, hex);
    int64_t *last = map_get(auth->used, str_from(hex));
    if (last == NULL) {
        if (map_count(auth->used) >= FAILURES_MAX)
            clear(auth->used);
        last = new0(int64_t);
        map_set(auth->used, str_from(hex), last);
        *last = now;
    }
    if (now - *last > IDLE_MS)
        return true;
    *last = now;
    return false;
}

bool auth_check_session(struct auth *auth, str id, struct auth_user *ret_user, struct err *err)
{
    struct hash hash = hash_bytes(id);
    struct find find = {.hash = &hash};

    if (id.len > 0 && auth->users != NULL)
        reflector_each(auth->users, look_hash, &find);
    if (find.user == NULL || find.user->disabled || is_idle(auth, &hash))
        return err_set(err, ERR_UNAUTHORIZED, "the session has ended: log in again");
    *ret_user = (struct auth_user){find.user->name, find.user->groups, find.user->group_count};
    return true;
}

static void on_poll(void *owner)
{
    struct auth_login *login = owner;
    struct auth_user user;
    struct err err = {0};

    if (auth_check_session(login->auth, secret_reveal(login->id), &user, &err)) {
        finish(login, NULL);
    } else if (++login->polls >= POLL_MAX) {
        err_set(&err, ERR_TIMEOUT, "the new session did not become known in time: try again");
        finish(login, &err);
    } else {
        loop_timer_start(login->timer, POLL_MS);
    }
}

static void on_stored(void *owner, struct kube_response *response)
{
    struct auth_login *login = owner;

    login->call = NULL;
    if (!response->ok) {
        err_wrap(&response->err, "storing the session");
        finish(login, &response->err);
        return;
    }
    loop_timer_free(login->timer);
    login->timer = loop_timer_new(login->auth->loop, "log-in", on_poll, login);
    loop_timer_start(login->timer, 0);
}

/* Adds the new session; takes ended ones away, and the one that ends first when there are many. */
static void add_session(struct arena *arena, struct val *data, const struct user *user, str hex)
{
    const struct user_session *first = NULL;
    int64_t now = clock_wall_ms();

    for (size_t i = 0; i < user->session_count; i++) {
        const struct user_session *session = &user->sessions[i];
        if (session->ends_ms <= now)
            val_set(arena, data, session->key, val_null());
        else if (first == NULL || session->ends_ms < first->ends_ms)
            first = session;
    }
    if (user->session_count >= USER_SESSIONS_MAX - 1 && first != NULL)
        val_set(arena, data, first->key, val_null());
    str text = arena_printf(arena, "%.*s %" PRId64, STR(hex),
                            now / 1000 + (int64_t)AUTH_SESSION_DAYS * 86400);
    val_set_str(arena, data, arena_join(arena, S("session."), str_first(hex, 16)),
                base64_encode(arena, text));
}

static void store(struct auth_login *login, const struct user *user)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct val *patch = val_new(arena, val_map());
    char hex[HASH_HEX_SIZE];

    login->id = auth_random_secret();
    struct hash hash = hash_bytes(secret_reveal(login->id));
    hash_hex(&hash, hex);
    add_session(arena, val_ensure_map(arena, patch, S("data")), user, str_from(hex));
    struct kube_request request = {
            .verb = KUBE_PATCH_MERGE,
            .gvr = auth_gvr_secrets,
            .namespace_ = S(AUTH_SYSTEM_NAMESPACE),
            .name = arena_join(arena, S("user-"), login->name),
            .field_manager = S("taut"),
            .body = patch,
    };
    login->call = kube_start(login->auth->home, &request, on_stored, login);
}

static void on_checked(void *owner, bool right, const struct err *err)
{
    struct auth_login *login = owner;
    struct auth *auth = login->auth;
    const struct user *user = user_named(auth, login->name);
    struct err wrong = {0};

    login->check = NULL;
    if (err != NULL) {
        finish(login, err);
    } else if (!right || user == NULL || user->disabled) {
        note_failure(auth, login->name);
        note_failure(auth, login->address);
        err_set(&wrong, ERR_UNAUTHORIZED, "the user name or the password is wrong");
        finish(login, &wrong);
    } else {
        mem_free(map_del(auth->failures, login->name));
        if (login->only_check)
            finish(login, NULL);
        else
            store(login, user);
    }
}

static void check(void *owner)
{
    struct auth_login *login = owner;
    const struct user *user = user_named(login->auth, login->name);
    bool known = user != NULL && user->password_hash.len > 0;
    auto_secret struct secret *password = TAKE(login->password);

    login->check =
            password_check(login->auth->passwords, secret_reveal(password),
                           known ? user->password_hash : str_from(nobody), on_checked, login);
}

/* "127.0.0.1:4711" → "@127.0.0.1": no user's name begins so. */
static str address_key(str peer)
{
    char key[64];
    size_t colon = MIN(str_rfind_char(peer, ':'), peer.len);
    int len = snprintf(key, sizeof(key), "@%.*s", STR(str_first(peer, colon)));

    return str_own(str_of(key, MIN((size_t)MAX(len, 0), sizeof(key) - 1)));
}

static struct auth_login *begin(struct auth *auth, str name, str password, str peer,
                                auth_login_fn *done, void *owner)
{
    struct auth_login *login = new0(struct auth_login);

    *login = (struct auth_login){.auth = auth, .next = auth->logins, .done = done, .owner = owner};
    auth->logins = login;
    login->name = str_own(str_first(name, 63));
    login->address = address_key(peer);
    login->password = secret_new(password);
    login->timer = loop_timer_new(auth->loop, "log-in", check, login);
    loop_timer_start(login->timer, MAX(delay_of(auth, login->name, 0),
                                       delay_of(auth, login->address, ADDRESS_FREE)));
    return login;
}

struct auth_login *auth_log_in(struct auth *auth, str name, str password, str peer,
                               auth_login_fn *done, void *owner)
{
    return begin(auth, name, password, peer, done, owner);
}

struct auth_login *auth_check_user_password(struct auth *auth, str name, str password, str peer,
                                            auth_login_fn *done, void *owner)
{
    struct auth_login *login = begin(auth, name, password, peer, done, owner);

    login->only_check = true;
    return login;
}

struct password_check *auth_hash_later(struct auth *auth, str password, password_hashed_fn *done,
                                       void *owner)
{
    return password_hash(auth->passwords, password, done, owner);
}

static void on_gone(UNUSED void *owner, UNUSED struct kube_response *response)
{
    /* A session that could not be removed still ends by its time. */
}

void auth_log_out(struct auth *auth, str id)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct hash hash = hash_bytes(id);
    struct find find = {.hash = &hash};

    if (id.len > 0 && auth->users != NULL)
        reflector_each(auth->users, look_hash, &find);
    if (find.user == NULL)
        return;
    struct val *patch = val_new(arena, val_map());
    val_set(arena, val_ensure_map(arena, patch, S("data")),
            user_find_session(find.user, &hash)->key, val_null());
    struct kube_request request = {
            .verb = KUBE_PATCH_MERGE,
            .gvr = auth_gvr_secrets,
            .namespace_ = S(AUTH_SYSTEM_NAMESPACE),
            .name = arena_join(arena, S("user-"), find.user->name),
            .field_manager = S("taut"),
            .body = patch,
    };
    kube_start(auth->home, &request, on_gone, NULL);
}

void auth_sessions_free(struct auth *auth)
{
    while (auth->logins != NULL)
        login_free(auth->logins);
    password_pool_free(auth->passwords);
    clear(auth->failures);
    map_free(auth->failures);
    clear(auth->used);
    map_free(auth->used);
}
