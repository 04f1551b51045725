/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start is a chain: system namespace → our roles and bindings → admin's Secret (read, else made) →
 * the reflector's first whole list. One call is in flight at a time.
 */
#include "auth/roles.h"
#include "auth/state.h"
#include "base/log.h"
#include "base/mem.h"
#include "kube/reflector.h"
#include <assert.h>
#include <sodium.h>

#define SECRET_BYTES 32
/* Base64 without padding, safe in URLs and YAML: 43 characters. */
#define SECRET_TEXT 44

static const struct gvr namespaces = {S_INIT(""), S_INIT("v1"), S_INIT("namespaces")};
const struct gvr auth_gvr_secrets = {S_INIT(""), S_INIT("v1"), S_INIT("secrets")};

struct auth *auth_new(struct loop *loop, struct kube *home)
{
    struct auth *auth = new0(struct auth);

    if (sodium_init() < 0)
        abort(); /* no randomness: nothing can be safe */
    auth->loop = loop;
    auth->home = home;
    auth->passwords = password_pool_new(loop);
    auth->failures = map_new();
    auth->used = map_new();
    auth->change = loop_task_new(loop, "rights changed", auth_tell_listeners, auth);
    return auth;
}

void auth_free(struct auth *auth)
{
    if (auth == NULL)
        return;
    auth_sessions_free(auth);
    auth_reviews_free(auth);
    kube_cancel(auth->call);
    if (auth->users != NULL)
        reflector_free(auth->users);
    rbac_free(auth->rbac);
    loop_task_free(auth->change);
    assert(auth->listeners == NULL);
    secret_free(auth->password);
    mem_free(auth);
}

struct secret *auth_random_secret(void)
{
    unsigned char bytes[SECRET_BYTES];
    char text[SECRET_TEXT];

    randombytes_buf(bytes, sizeof(bytes));
    sodium_bin2base64(text, sizeof(text), bytes, sizeof(bytes),
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    struct secret *secret = secret_new(str_from(text));
    secret_wipe(bytes, sizeof(bytes));
    secret_wipe(text, sizeof(text));
    return secret;
}

/* For people: shorter, 20 characters of 120 bits. */
struct secret *auth_new_password(void)
{
    auto_secret struct secret *whole = auth_random_secret();
    return secret_new(str_first(secret_reveal(whole), 20));
}

struct secret *auth_new_token(void)
{
    return auth_random_secret();
}

bool auth_check_password(str user, str password, struct err *err)
{
    size_t characters = 0;

    for (size_t i = 0; i < password.len; i++) {
        unsigned char c = (unsigned char)password.at[i];
        if (c < ' ' || c == 0x7f)
            return err_set(err, ERR_INVALID, "a password has no control characters");
        characters += (c & 0xc0) != 0x80;
    }
    if (characters < AUTH_PASSWORD_MIN)
        return err_set(err, ERR_INVALID, "a password has at least %d characters",
                       AUTH_PASSWORD_MIN);
    if (password.len > LIMIT_PASSWORD_BYTES)
        return err_set(err, ERR_INVALID, "a password has at most %d bytes", LIMIT_PASSWORD_BYTES);
    if (user.len > 0 && str_contains(password, user))
        return err_set(err, ERR_INVALID, "a password does not contain the user's name");
    return true;
}

/* ---- start ---- */

static void finish(struct auth *auth, const struct err *err)
{
    auth_started_fn *started = TAKE(auth->started);
    struct secret *password = TAKE(auth->password);
    struct auth_first first = {password};

    if (started != NULL)
        started(auth->owner, &first, err);
    secret_free(password);
}

static void *keep_user(UNUSED void *owner, const struct val *object)
{
    return user_of_secret(object);
}

static void drop_user(UNUSED void *owner, void *kept)
{
    user_free(kept);
}

static void on_changed(void *owner, UNUSED str namespace_, UNUSED str name, UNUSED const void *was,
                       UNUSED const void *is)
{
    auth_note_change(owner);
}

static void on_complete(void *owner)
{
    finish(owner, NULL);
}

static void on_trouble(void *owner, const struct err *err)
{
    struct auth *auth = owner;

    if (err == NULL)
        return;
    log_warn("auth", "users cannot be watched: %s", err->message);
    if (auth->started != NULL)
        finish(auth, err);
}

static void watch_users(struct auth *auth)
{
    static const struct reflector_events events = {
            .keep = keep_user,
            .drop = drop_user,
            .changed = on_changed,
            .complete = on_complete,
            .trouble = on_trouble,
    };
    struct kube_selector what = {.gvr = auth_gvr_secrets,
                                 .namespace_ = S(AUTH_SYSTEM_NAMESPACE),
                                 .label_selector = S("taut.dev/user")};

    auth->users = reflector_new(auth->home, &what, &events, auth);
    auth->rbac = rbac_new(auth->home, auth_note_change, auth);
}

static bool is_there_already(const struct kube_response *response)
{
    return str_eq(response->reason, S("AlreadyExists")) || response->err.code == ERR_EXISTS;
}

static void on_admin_made(void *owner, struct kube_response *response)
{
    struct auth *auth = owner;

    auth->call = NULL;
    if (!response->ok && !is_there_already(response)) {
        err_wrap(&response->err, "making the admin account");
        finish(auth, &response->err);
        return;
    }
    if (!response->ok) /* another replica was faster */
        secret_free(TAKE(auth->password));
    watch_users(auth);
}

str auth_hash_password(struct arena *arena, const struct secret *password)
{
    char hash[crypto_pwhash_STRBYTES];
    str text = secret_reveal(password);

    if (sodium_init() < 0 ||
        crypto_pwhash_str(hash, text.at, text.len, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                          crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
        abort(); /* memory is out */
    return arena_str(arena, str_from(hash));
}

struct val *auth_user_secret(struct arena *arena, str name, str groups, str password_hash)
{
    return user_secret(arena, name, groups, password_hash);
}

static void make_admin(struct auth *auth)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);

    auth->password = auth_new_password();
    str hash = auth_hash_password(arena, auth->password);
    struct kube_request request = {
            .verb = KUBE_CREATE,
            .gvr = auth_gvr_secrets,
            .namespace_ = S(AUTH_SYSTEM_NAMESPACE),
            .field_manager = S("taut"),
            .body = user_secret(arena, S("admin"), S(AUTH_ADMIN_GROUP), hash),
    };
    auth->call = kube_start(auth->home, &request, on_admin_made, auth);
}

static void on_admin_read(void *owner, struct kube_response *response)
{
    struct auth *auth = owner;

    auth->call = NULL;
    if (response->ok) {
        watch_users(auth);
    } else if (response->err.code == ERR_NOT_FOUND) {
        make_admin(auth);
    } else {
        err_wrap(&response->err, "reading the admin account");
        finish(auth, &response->err);
    }
}

static void next_role(struct auth *auth);

static void on_role(void *owner, struct kube_response *response)
{
    struct auth *auth = owner;

    auth->call = NULL;
    if (!response->ok) {
        err_wrap(&response->err, "applying the roles of Taut");
        finish(auth, &response->err);
        return;
    }
    auth->roles_done++;
    next_role(auth);
}

static void next_role(struct auth *auth)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct kube_request read = {.verb = KUBE_GET,
                                .gvr = auth_gvr_secrets,
                                .namespace_ = S(AUTH_SYSTEM_NAMESPACE),
                                .name = S("user-admin")};

    if (auth->roles_done == ROLES_OBJECTS) {
        auth->call = kube_start(auth->home, &read, on_admin_read, auth);
        return;
    }
    struct gvr gvr;
    const struct val *role = roles_object(arena, auth->roles_done, &gvr);
    struct kube_request request = {.verb = KUBE_APPLY,
                                   .gvr = gvr,
                                   .name = object_name(role),
                                   .field_manager = S("taut"),
                                   .force = true,
                                   .body = role};
    auth->call = kube_start(auth->home, &request, on_role, auth);
}

static void on_namespace(void *owner, struct kube_response *response)
{
    struct auth *auth = owner;

    auth->call = NULL;
    if (!response->ok && !is_there_already(response)) {
        err_wrap(&response->err, "making namespace " AUTH_SYSTEM_NAMESPACE);
        finish(auth, &response->err);
        return;
    }
    next_role(auth);
}

void auth_start(struct auth *auth, auth_started_fn *done, void *owner)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct val *body = val_new(arena, val_map());

    assert(auth->users == NULL && auth->call == NULL);
    auth->started = done;
    auth->owner = owner;
    val_set_str(arena, body, S("apiVersion"), S("v1"));
    val_set_str(arena, body, S("kind"), S("Namespace"));
    val_set_str(arena, val_ensure_map(arena, body, S("metadata")), S("name"),
                S(AUTH_SYSTEM_NAMESPACE));
    struct kube_request request = {
            .verb = KUBE_CREATE, .gvr = namespaces, .field_manager = S("taut"), .body = body};
    auth->call = kube_start(auth->home, &request, on_namespace, auth);
}

/* ---- asking ---- */

struct lookup {
    const struct hash *hash;
    const struct user *found;
};

static void look(void *owner, UNUSED str namespace_, UNUSED str name, void *kept)
{
    struct lookup *lookup = owner;
    const struct user *user = kept;

    if (user != NULL && user_has_token(user, lookup->hash))
        lookup->found = user;
}

bool auth_check_token(const struct auth *auth, str token, struct auth_user *ret_user,
                      struct err *err)
{
    struct hash hash = hash_bytes(token);
    struct lookup lookup = {&hash, NULL};

    if (token.len > 0 && auth->users != NULL)
        reflector_each(auth->users, look, &lookup);
    if (lookup.found == NULL || lookup.found->disabled)
        return err_set(err, ERR_UNAUTHORIZED, "the token is not known here");
    *ret_user =
            (struct auth_user){lookup.found->name, lookup.found->groups, lookup.found->group_count};
    return true;
}

bool auth_is_master(const struct auth_user *user)
{
    for (size_t i = 0; i < user->group_count; i++) {
        if (str_eq(user->groups[i], S(AUTH_ADMIN_GROUP)))
            return true;
    }
    return false;
}

bool auth_may(const struct auth *auth, const struct auth_user *user,
              const struct auth_question *question)
{
    bool allowed;

    if (auth_is_master(user))
        return true;
    if (auth_reviewed(auth, user, question, &allowed))
        return allowed;
    return auth->rbac != NULL && rbac_allows(auth->rbac, user, question);
}

/* What system:masters holds, as the ClusterRole cluster-admin says it. */
static void tell_everything(auth_rule_fn *fn, void *owner)
{
    static const char *const keys[][3] = {{"verbs", "apiGroups", "resources"},
                                          {"verbs", "nonResourceURLs", NULL}};
    auto_arena struct arena *arena = arena_new(LIMIT_KIB * 16);

    for (size_t i = 0; i < COUNT(keys); i++) {
        struct val *rule = val_new(arena, val_map());
        for (size_t k = 0; k < COUNT(keys[i]) && keys[i][k] != NULL; k++)
            val_append(arena, val_ensure_list(arena, rule, str_from(keys[i][k])),
                       val_string_borrow(S("*")));
        fn(owner, rule);
    }
}

void auth_rules_each(const struct auth *auth, const struct auth_user *user, str namespace_,
                     auth_rule_fn *fn, void *owner)
{
    if (auth_is_master(user))
        tell_everything(fn, owner);
    if (auth->rbac != NULL)
        rbac_rules_each(auth->rbac, user, namespace_, fn, owner);
}

bool auth_is_member(const struct auth *auth, const struct auth_user *user, str namespace_)
{
    return auth_is_master(user) ||
           (auth->rbac != NULL && rbac_is_member(auth->rbac, user, namespace_));
}

/* ---- tokens ---- */

struct token_job {
    struct secret *token;
    auth_token_fn *done;
    void *owner;
};

static void on_token_stored(void *owner, struct kube_response *response)
{
    struct token_job *job = owner;

    if (response->ok) {
        job->done(job->owner, job->token, NULL);
    } else {
        err_wrap(&response->err, "storing a token");
        job->done(job->owner, NULL, &response->err);
    }
    secret_free(job->token);
    mem_free(job);
}

void auth_make_token(struct auth *auth, str user, str label, auth_token_fn *done, void *owner)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct token_job *job = new0(struct token_job);

    job->token = auth_random_secret();
    job->done = done;
    job->owner = owner;
    struct val *patch = user_patch_token(arena, label, job->token, 0);
    struct kube_request request = {
            .verb = KUBE_PATCH_MERGE,
            .gvr = auth_gvr_secrets,
            .namespace_ = S(AUTH_SYSTEM_NAMESPACE),
            .name = arena_join(arena, S("user-"), user),
            .field_manager = S("taut"),
            .body = patch,
    };
    kube_start(auth->home, &request, on_token_stored, job);
}

/* ---- further users ---- */

struct user_job {
    auth_user_fn *done;
    void *owner;
};

static void on_user_made(void *owner, struct kube_response *response)
{
    struct user_job *job = owner;

    job->done(job->owner, response->ok ? NULL : &response->err);
    mem_free(job);
}

void auth_put_user(struct auth *auth, str name, str groups, const struct secret *password,
                   auth_user_fn *done, void *owner)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct user_job *job = new0(struct user_job);

    *job = (struct user_job){done, owner};
    struct val *secret = user_secret(arena, name, groups, auth_hash_password(arena, password));
    struct kube_request request = {.verb = KUBE_APPLY,
                                   .gvr = auth_gvr_secrets,
                                   .namespace_ = S(AUTH_SYSTEM_NAMESPACE),
                                   .name = object_name(secret),
                                   .field_manager = S("taut"),
                                   .force = true,
                                   .body = secret};
    kube_start(auth->home, &request, on_user_made, job);
}
