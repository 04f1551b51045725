/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/password.h"

#include "base/buf.h"
#include "base/mem.h"
#include "io/process.h"

#include <sodium.h>
#include <unistd.h>

enum { EXIT_WRONG = 1, CHECK_TIMEOUT_MS = 20000 };

struct password_check {
    struct password_pool *pool;
    struct password_check *next;
    struct process *process;
    struct secret *input;
    bool refused;
    password_done_fn *done;
    password_hashed_fn *hashed; /* of a new password; `done` is NULL then */
    void *owner;
};

struct password_pool {
    struct loop *loop;
    struct loop_task *task;
    struct password_check *checks; /* oldest first, the running ones included */
};

static size_t count(const struct password_pool *pool, bool running)
{
    size_t n = 0;

    for (const struct password_check *c = pool->checks; c != NULL; c = c->next)
        n += (c->process != NULL) == running;
    return n;
}

static void drop(struct password_check *check)
{
    struct password_check **at = &check->pool->checks;

    while (*at != check)
        at = &(*at)->next;
    *at = check->next;
    secret_free(check->input);
    mem_free(check);
}

static void finish(struct password_check *check, bool right, str hash, const struct err *err)
{
    password_done_fn *done = check->done;
    password_hashed_fn *hashed = check->hashed;
    void *owner = check->owner;

    loop_task_post(check->pool->task);
    drop(check);
    if (hashed != NULL)
        hashed(owner, hash, err);
    else
        done(owner, right, err);
}

static void on_end(void *owner, const struct process_result *result)
{
    struct password_check *check = owner;

    check->process = NULL;
    if (result->ok)
        finish(check, /*right=*/true, str_trim(result->out), NULL);
    else if (result->status == EXIT_WRONG)
        finish(check, /*right=*/false, STR_EMPTY, NULL);
    else
        finish(check, /*right=*/false, STR_EMPTY, &result->err);
}

static bool start(struct password_check *check, struct err *err)
{
    static const char *const argv[] = {"taut-hash", NULL};
    static const char *const env[] = {"TAUT_ROLE=hash", NULL};
    struct process_spec spec = {
            .name = "password check",
            .argv = argv,
            .env = env,
            .input = secret_reveal(check->input),
            .out_max = 1024,
            .err_max = 1024,
            .timeout_ms = CHECK_TIMEOUT_MS,
            .limits = {.cpu_s = 10, .file_bytes = -1, .open_files = 16},
    };

    return process_start(check->pool->loop, &spec, on_end, check, &check->process, err);
}

/* Answers the refused ones and starts as many waiting ones as there is room for. One `done` a
 * turn: it may free the pool. */
static void turn(void *owner)
{
    struct password_pool *pool = owner;
    struct err err = {0};

    for (struct password_check *c = pool->checks; c != NULL; c = c->next) {
        if (c->process != NULL)
            continue;
        if (c->refused) {
            err_set(&err, ERR_TOO_MANY,
                    "too many people are logging in at this moment: try again in a few seconds");
        } else if (count(pool, /*running=*/true) >= LIMIT_PASSWORD_CHECKS) {
            continue;
        } else if (start(c, &err)) {
            secret_free(TAKE(c->input));
            continue;
        }
        finish(c, /*right=*/false, STR_EMPTY, &err);
        return;
    }
}

struct password_pool *password_pool_new(struct loop *loop)
{
    struct password_pool *pool = new0(struct password_pool);

    pool->loop = loop;
    pool->task = loop_task_new(loop, "password checks", turn, pool);
    return pool;
}

void password_pool_free(struct password_pool *pool)
{
    if (pool == NULL)
        return;
    while (pool->checks != NULL)
        password_cancel(pool->checks);
    loop_task_free(pool->task);
    mem_free(pool);
}

static struct password_check *enqueue(struct password_pool *pool, str password, str hash)
{
    struct password_check *check = new0(struct password_check);
    struct password_check **end = &pool->checks;
    auto_buf struct buf input = {0};

    buf_init(&input, LIMIT_PASSWORD_BYTES + 1024);
    buf_addf(&input, "%.*s\n", STR(hash));
    buf_add(&input, password);
    *check = (struct password_check){.pool = pool};
    check->refused = buf_is_over(&input) || count(pool, false) >= LIMIT_PASSWORD_WAITING;
    check->input = secret_new(buf_str(&input));
    if (input.at != NULL)
        secret_wipe(input.at, input.size);
    while (*end != NULL)
        end = &(*end)->next;
    *end = check;
    loop_task_post(pool->task);
    return check;
}

struct password_check *password_check(struct password_pool *pool, str password, str hash,
                                      password_done_fn *done, void *owner)
{
    struct password_check *check = enqueue(pool, password, hash);

    check->done = done;
    check->owner = owner;
    return check;
}

struct password_check *password_hash(struct password_pool *pool, str password,
                                     password_hashed_fn *done, void *owner)
{
    struct password_check *check = enqueue(pool, password, STR_EMPTY);

    check->hashed = done;
    check->owner = owner;
    return check;
}

void password_cancel(struct password_check *check)
{
    if (check == NULL)
        return;
    process_cancel(check->process);
    loop_task_post(check->pool->task);
    drop(check);
}

static int print_hash(const char *password, size_t len)
{
    char hash[crypto_pwhash_STRBYTES];

    if (crypto_pwhash_str(hash, password, len, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                          crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0) {
        fputs("there is not enough memory to hash a password\n", stderr);
        return 2;
    }
    puts(hash);
    return 0;
}

int password_role(UNUSED int argc, UNUSED char **argv)
{
    char input[LIMIT_PASSWORD_BYTES + 1024 + 1];
    size_t len = 0;

    while (len < sizeof(input) - 1) {
        ssize_t got = read(STDIN_FILENO, input + len, sizeof(input) - 1 - len);
        if (got <= 0)
            break;
        len += (size_t)got;
    }
    input[len] = '\0';
    char *end = memchr(input, '\n', len);
    if (end == NULL || sodium_init() < 0) {
        fputs("the password check was started without its input\n", stderr);
        return 2;
    }
    *end = '\0';
    size_t at = (size_t)(end + 1 - input);
    int code;
    if (end == input)
        code = print_hash(input + at, len - at);
    else
        code = crypto_pwhash_str_verify(input, input + at, len - at) == 0 ? 0 : EXIT_WRONG;
    secret_wipe(input, sizeof(input));
    return code;
}
