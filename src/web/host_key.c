/* SPDX-License-Identifier: Apache-2.0 */
#include "web/host_key.h"
#include "base/mem.h"
#include "doc/hash.h"
#include "git/url.h"

#define SCAN_BYTES (64 * LIMIT_KIB)
#define SCAN_MS 15000

struct host_key_scan {
    struct arena *arena;
    struct process *process;
    str fingerprint;
    str host;
    host_key_done_fn *done;
    void *owner;
};

/* "SHA256:" and base64 of the hash without padding, as ssh prints it. */
static str fingerprint_of(struct arena *arena, str key_base64)
{
    str key;

    if (!base64_decode(arena, key_base64, &key))
        return STR_EMPTY;
    struct hash hash = hash_bytes(key);
    str text = base64_encode(arena, str_of((const char *)hash.bytes, HASH_SIZE));
    while (str_chop(&text, S("="))) {
    }
    return arena_join(arena, S("SHA256:"), text);
}

bool host_key_choose(struct arena *arena, str scanned, str fingerprint, str *ret_line,
                     struct err *err)
{
    str shown = STR_EMPTY;
    str line;

    while (str_split(&scanned, '\n', &line)) {
        str rest = str_trim(line);
        str parts[3];
        if (rest.len == 0 || rest.at[0] == '#')
            continue;
        if (!str_split(&rest, ' ', &parts[0]) || !str_split(&rest, ' ', &parts[1]) ||
            !str_split(&rest, ' ', &parts[2]))
            continue;
        str found = fingerprint_of(arena, parts[2]);
        if (found.len > 0 && str_eq(found, fingerprint)) {
            *ret_line = str_trim(line);
            return true;
        }
        if (found.len > 0)
            shown = arena_printf(arena, "%.*s%s%.*s %.*s", STR(shown), shown.len > 0 ? ", " : "",
                                 STR(parts[1]), STR(found));
    }
    if (shown.len == 0)
        return err_set(err, ERR_UNAVAILABLE, "the SSH server shows no host key");
    return err_set(err, ERR_CONFLICT,
                   "the SSH server has no key with the fingerprint %.*s; it shows %.*s",
                   STR(fingerprint), STR(shown));
}

static void scan_free(struct host_key_scan *scan)
{
    arena_free(scan->arena);
    mem_free(scan);
}

static void on_scanned(void *owner, const struct process_result *result)
{
    struct host_key_scan *scan = owner;
    struct err err = {0};
    str line = STR_EMPTY;

    scan->process = NULL;
    if (!result->ok && result->out.len == 0)
        err_set(&err, ERR_UNAVAILABLE, "the SSH server of '%.*s' cannot be asked for its key",
                STR(scan->host));
    else if (host_key_choose(scan->arena, result->out, scan->fingerprint, &line, &err))
        err.code = ERR_NONE;
    scan->done(scan->owner, line, err.code == ERR_NONE ? NULL : &err);
    scan_free(scan);
}

/* A name that begins with '-' would be an option. */
static bool is_plain_host(str host)
{
    return host.len > 0 && host.len < 254 && host.at[0] != '-' &&
           str_find_char(host, ' ') == SIZE_MAX;
}

bool host_key_scan(struct loop *loop, str url, str fingerprint, host_key_done_fn *done, void *owner,
                   struct host_key_scan **ret_scan, struct err *err)
{
    static const char *const env[] = {"PATH=/usr/bin:/bin", "LC_ALL=C", NULL};
    struct host_key_scan *scan = new0(struct host_key_scan);
    struct git_url parsed = {0};

    scan->arena = arena_new(4 * LIMIT_MIB);
    scan->done = done;
    scan->owner = owner;
    scan->fingerprint = arena_str(scan->arena, fingerprint);
    bool ok = git_url_parse(scan->arena, url, &parsed, err);
    if (ok && (parsed.scheme != GIT_SSH || !is_plain_host(parsed.host)))
        ok = err_set(err, ERR_UNSUPPORTED, "only ssh URLs have host keys");
    if (ok) {
        scan->host = parsed.host;
        const char *port = parsed.port.len > 0 ? arena_z(scan->arena, parsed.port) : "22";
        const char *const argv[] = {
                "ssh-keyscan", "-T", "8", "-p", port, "--", arena_z(scan->arena, parsed.host),
                NULL};
        struct process_spec spec = {.name = "ssh-keyscan",
                                    .program = "/usr/bin/ssh-keyscan",
                                    .argv = argv,
                                    .env = env,
                                    .out_max = SCAN_BYTES,
                                    .err_max = 4096,
                                    .timeout_ms = SCAN_MS};
        ok = process_start(loop, &spec, on_scanned, scan, &scan->process, err);
    }
    if (!ok) {
        scan_free(scan);
        return false;
    }
    *ret_scan = scan;
    return true;
}

void host_key_cancel(struct host_key_scan *scan)
{
    if (scan == NULL)
        return;
    process_cancel(scan->process);
    scan_free(scan);
}
