/* SPDX-License-Identifier: Apache-2.0 */
/* What a fetch process needs before git runs: rights, secrets, addresses, environment. */
#include "base/buf.h"
#include "base/fd.h"
#include "doc/hash.h"
#include "git/fetch_role.h"
#include "io/confine.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* ---- rights ---- */

bool fetch_confine(struct fetch *f, struct err *err)
{
    struct confine_limits limits = {.file_bytes = LIMIT_FETCH_BYTES};
    struct confine_rule rules[24] = {0};
    size_t count = 0;
    static const char *const programs[] = {"/usr", "/bin", "/sbin", "/lib", "/lib64", "/nix/store"};
    static const char *const files[] = {"/etc",
                                        "/proc",
                                        "/run/systemd/resolve",
                                        "/dev/urandom",
                                        "/var/lib/ca-certificates",
                                        "/run/resolvconf"};

    for (size_t i = 0; i < COUNT(programs); i++)
        rules[count++] = (struct confine_rule){-1, programs[i], CONFINE_READ | CONFINE_EXECUTE};
    for (size_t i = 0; i < COUNT(files); i++)
        rules[count++] = (struct confine_rule){-1, files[i], CONFINE_READ};
    rules[count++] = (struct confine_rule){-1, "/dev/null", CONFINE_READ | CONFINE_WRITE};
    rules[count++] = (struct confine_rule){-1, f->program, CONFINE_READ | CONFINE_EXECUTE};
    if (!str_is_empty(f->request.cache))
        rules[count++] =
                (struct confine_rule){-1, f->request.cache.at, CONFINE_READ | CONFINE_WRITE};
    if (f->url.scheme == GIT_FILE)
        rules[count++] = (struct confine_rule){-1, arena_z(f->arena, f->url.path), CONFINE_READ};
    return confine_limits(&limits, err) && confine_files(rules, count, /*allow_tcp=*/true, err);
}

/* ---- secrets ---- */

/* A file without a name, readable by git and ssh as /proc/<pid>/fd/<n> while this process lives. */
static bool memory_file(struct fetch *f, str bytes, str *ret_path, struct err *err)
{
    int fd = memfd_create("taut", MFD_CLOEXEC); /* stays open to the end of the process */

    if (fd < 0 || fchmod(fd, 0600) != 0)
        return err_set(err, ERR_IO, "a secret cannot be kept in memory: %s", strerror(errno));
    if (!fd_write_all(fd, bytes))
        return err_set(err, ERR_IO, "a secret cannot be kept in memory: %s", strerror(errno));
    *ret_path = arena_printf(f->arena, "/proc/%d/fd/%d", (int)getpid(), fd);
    return true;
}

/* OpenSSH wants line feeds, also behind the last line; forms send what people paste. */
static str tidy_lines(struct arena *arena, str text)
{
    char *out = arena_bytes(arena, text.len + 2);
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] != '\r')
            out[len++] = text.at[i];
    }
    if (len > 0 && out[len - 1] != '\n')
        out[len++] = '\n';
    return str_of(out, len);
}

bool fetch_secrets(struct fetch *f, struct err *err)
{
    const struct fetch_request *r = &f->request;

    if (f->url.scheme == GIT_SSH && !str_is_empty(r->ssh_key) &&
        !memory_file(f, tidy_lines(f->arena, r->ssh_key), &f->key_path, err))
        return false;
    if (f->url.scheme == GIT_SSH && !str_is_empty(r->ssh_key) && !str_is_empty(r->passphrase) &&
        !memory_file(f, r->passphrase, &f->passphrase_path, err))
        return false;
    if (f->url.scheme == GIT_SSH &&
        !memory_file(f, tidy_lines(f->arena, r->known_hosts), &f->hosts_path, err))
        return false;
    return str_is_empty(r->ca_bundle) || memory_file(f, r->ca_bundle, &f->ca_path, err);
}

/* ---- addresses ---- */

static bool address_refuse(const struct fetch *f, str address, struct err *err)
{
    return err_set(err, ERR_FORBIDDEN,
                   "the host %.*s is %.*s, a link-local or metadata address, which Taut does not "
                   "talk to",
                   STR(f->url.host), STR(address));
}

/* Every address of the host is looked at; the first one is then used, so that a second look-up
 * cannot give another. */
bool fetch_address(struct fetch *f, struct err *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *found = NULL;

    f->address = STR_EMPTY;
    if (f->url.scheme == GIT_FILE)
        return git_url_check_file(
                &f->url,
                f->request.file_roots.len == 0 ? NULL : arena_z(f->arena, f->request.file_roots),
                err);
    int code = getaddrinfo(arena_z(f->arena, f->url.host), NULL, &hints, &found);
    if (code != 0)
        return err_set(err, ERR_UNAVAILABLE, "the host %.*s cannot be found: %s", STR(f->url.host),
                       gai_strerror(code));

    bool ok = true;
    for (struct addrinfo *a = found; ok && a != NULL; a = a->ai_next) {
        char text[NI_MAXHOST];
        if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST))
            continue;
        str address = arena_str(f->arena, str_from(text));
        if (!f->request.allow_link_local && git_address_is_local_link(address))
            ok = address_refuse(f, address, err);
        if (str_is_empty(f->address))
            f->address = address;
    }
    freeaddrinfo(found);
    return ok;
}

/* ---- environment ---- */

static void env_add(struct fetch *f, str text)
{
    if (f->env_count + 1 < FETCH_ENV_MAX)
        f->env[f->env_count++] = text.at;
}

static void config(struct fetch *f, const char *key, str value)
{
    env_add(f, arena_printf(f->arena, "GIT_CONFIG_KEY_%zu=%s", f->config_count, key));
    env_add(f, arena_printf(f->arena, "GIT_CONFIG_VALUE_%zu=%.*s", f->config_count, STR(value)));
    f->config_count++;
}

static const struct {
    const char *key;
    const char *value;
} settings[] = {
        {"gc.auto", "0"},
        {"maintenance.auto", "false"},
        {"fetch.unpackLimit", "1"},
        {"fetch.fsckObjects", "true"},
        {"protocol.version", "2"},
        {"core.hooksPath", "/dev/null"},
        {"credential.helper", ""},
        {"core.askPass", ""},
        {"safe.directory", "*"},
        {"http.followRedirects", "false"},
        {"http.lowSpeedLimit", "1000"},
        {"http.lowSpeedTime", "30"},
        {"advice.detachedHead", "false"},
};

bool fetch_is_http(const struct fetch *f)
{
    return f->url.scheme == GIT_HTTP || f->url.scheme == GIT_HTTPS;
}

str fetch_bracketed(struct arena *arena, str address)
{
    if (str_find_char(address, ':') == SIZE_MAX)
        return address;
    return arena_printf(arena, "[%.*s]", STR(address));
}

str fetch_authorization(struct fetch *f)
{
    const struct fetch_request *r = &f->request;
    str user = str_is_empty(r->username) ? f->url.user : r->username;

    if (f->has_left || !fetch_is_http(f))
        return STR_EMPTY;
    if (!str_is_empty(r->bearer))
        return arena_printf(f->arena, "Authorization: Bearer %.*s", STR(r->bearer));
    if (str_is_empty(r->password))
        return STR_EMPTY;
    if (str_is_empty(user))
        user = S("git"); /* servers that take a token as password ignore the name */
    str both = arena_printf(f->arena, "%.*s:%.*s", STR(user), STR(r->password));
    return arena_printf(f->arena, "Authorization: Basic %.*s", STR(base64_encode(f->arena, both)));
}

static void environment_http(struct fetch *f)
{
    str header = fetch_authorization(f);

    if (!str_is_empty(header))
        config(f, "http.extraHeader", header);
    if (!str_is_empty(f->ca_path))
        config(f, "http.sslCAInfo", f->ca_path);
    if (f->request.insecure)
        config(f, "http.sslVerify", S("false"));
    if (!str_is_empty(f->address))
        config(f, "http.curloptResolve",
               arena_printf(f->arena, "%.*s:%.*s:%.*s", STR(fetch_bracketed(f->arena, f->url.host)),
                            STR(git_url_port(&f->url)),
                            STR(fetch_bracketed(f->arena, f->address))));
}

static void environment_ssh(struct fetch *f)
{
    struct arena *arena = f->arena;
    /* Known hosts are looked up by the name that the person knows, not by the address. */
    str alias = f->url.host;

    if (!str_is_empty(f->url.port))
        alias = arena_printf(arena, "[%.*s]:%.*s", STR(f->url.host), STR(f->url.port));
    env_add(f, S("TAUT_ROLE=ssh"));
    env_add(f, S("GIT_SSH_VARIANT=ssh"));
    env_add(f, arena_printf(arena, "GIT_SSH=%s", f->program));
    env_add(f, arena_printf(arena, "TAUT_SSH_HOSTS=%.*s", STR(f->hosts_path)));
    env_add(f, arena_printf(arena, "TAUT_SSH_KEY=%.*s", STR(f->key_path)));
    env_add(f, arena_printf(arena, "TAUT_SSH_PASSPHRASE=%.*s", STR(f->passphrase_path)));
    env_add(f, arena_printf(arena, "TAUT_SSH_ADDRESS=%.*s", STR(f->address)));
    env_add(f, arena_printf(arena, "TAUT_SSH_ALIAS=%.*s", STR(alias)));
}

void fetch_environment(struct fetch *f)
{
    f->env_count = 0;
    f->config_count = 0;
    env_add(f, S("PATH=/usr/bin:/bin"));
    env_add(f, S("HOME=/nonexistent"));
    env_add(f, S("LC_ALL=C"));
    env_add(f, S("GIT_CONFIG_NOSYSTEM=1"));
    env_add(f, S("GIT_CONFIG_GLOBAL=/dev/null"));
    env_add(f, S("GIT_TERMINAL_PROMPT=0"));
    env_add(f, f->url.scheme == GIT_FILE ? S("GIT_ALLOW_PROTOCOL=file")
                                         : S("GIT_ALLOW_PROTOCOL=https:http:ssh:git"));
    for (size_t i = 0; i < COUNT(settings); i++)
        config(f, settings[i].key, str_from(settings[i].value));
    if (fetch_is_http(f))
        environment_http(f);
    if (f->url.scheme == GIT_SSH)
        environment_ssh(f);
    env_add(f, arena_printf(f->arena, "GIT_CONFIG_COUNT=%zu", f->config_count));
    f->env[f->env_count] = NULL;
}
