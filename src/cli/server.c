/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/server.h"
#include "apiserver/embedded.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/paths.h"
#include "engine/engine.h"
#include "io/confine.h"
#include "io/listen.h"
#include "io/process.h"
#include "kube/remote.h"
#include "render/render.h"
#include "sandbox/sandbox.h"
#include "source/source.h"
#include "web/rights.h"
#include "web/upstream.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>

#define PORT_TRIES 20

void server_stage(struct server *server, const char *what)
{
    if (!server->options.show_stages)
        return;
    printf("  %-28s %6lld ms\n", what, (long long)(clock_mono_ms() - server->started_ms));
    fflush(stdout);
}

void server_fail(struct server *server, const struct err *err)
{
    if (!server->failed)
        server->err = *err;
    server->failed = true;
    loop_stop(server->loop);
}

static void on_signal(void *owner)
{
    struct server *server = owner;

    if (server->stopping)
        _exit(1);
    server->stopping = true;
    log_info("serve", "stopping");
    loop_stop(server->loop);
}

static const char *in_dir(struct server *server, const char *name)
{
    return arena_printf(server->arena, "%s/%s", server->dir, name).at;
}

/* ---- parts ---- */

static bool lock_folder(struct server *server, struct err *err)
{
    if (!path_make_dir(server->options.data_dir, err))
        return false;
    server->lock = open(in_dir(server, "lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (server->lock < 0)
        return err_set(err, ERR_IO, "the data folder '%s' cannot be written: %s", server->dir,
                       strerror(errno));
    if (flock(server->lock, LOCK_EX | LOCK_NB) < 0)
        return err_set(err, ERR_CONFLICT, "another Taut is using the data folder '%s'",
                       server->dir);
    return true;
}

static bool open_certificates(struct server *server, struct err *err)
{
    char host[256] = "";
    str names[2];
    size_t count = 0;
    uint16_t port = 0;

    if (server->options.tls_cert.len > 0)
        return true;
    if (!listen_split(server->options.listen, &names[count], &port, err))
        return false;
    /* An unspecified address is nobody's name; then the machine's is. */
    if (!str_eq(names[count], S("0.0.0.0")) && !str_eq(names[count], S("::")))
        count++;
    if (gethostname(host, sizeof(host) - 1) == 0 && host[0] != '\0')
        names[count++] = str_from(host);
    return pki_load(&server->pki, in_dir(server, "pki"), names, count, err);
}

static bool open_embedded(struct server *server, struct err *err)
{
    struct apiserver_options options = {.name = "home",
                                        .path = in_dir(server, "home.db"),
                                        .sync = SYNC_FULL,
                                        .kinds = APISERVER_HOME};

    if (!apiserver_new(server->loop, &options, &server->home_server, err))
        return false;
    server->home = apiserver_kube(server->home_server);
    return true;
}

static bool open_remote(struct server *server, struct err *err)
{
    auto_kubeconfig struct kubeconfig *config = NULL;
    const char *path = arena_z(server->arena, server->options.home);

    return kubeconfig_load(path, server->options.home_context, &config, err) &&
           kube_remote_new(server->loop, S("the home cluster"), config, &server->home, err) &&
           upstream_new(server->loop, S("the home cluster"), config, &server->home_upstream, err);
}

static bool open_sandbox(struct server *server, struct err *err)
{
    struct apiserver_options options = {.name = "sandbox",
                                        .path = in_dir(server, "sandbox.db"),
                                        .sync = SYNC_NORMAL,
                                        .kinds = APISERVER_SANDBOX};

    if (!apiserver_new(server->loop, &options, &server->sandbox_server, err))
        return false;
    server->sandbox = apiserver_kube(server->sandbox_server);
    server->sandbox_life = sandbox_new(server->sandbox, NULL);
    return true;
}

/* Where this program lies: git starts it as its GIT_SSH, so /proc/self/exe would be git. */
static const char *own_path(struct server *server)
{
    char path[4096];
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path));

    return len <= 0 || len == (ssize_t)sizeof(path)
                   ? NULL
                   : arena_z(server->arena, str_of(path, (size_t)len));
}

static bool open_source(struct server *server, struct err *err)
{
    struct source_options options = {
            .data_dir = server->dir,
            .file_roots = server->options.file_repos.len > 0
                                  ? arena_z(server->arena, server->options.file_repos)
                                  : NULL,
            .program = own_path(server),
    };

    server->source = source_new(server->loop, server->renders, &options, err);
    return server->source != NULL;
}

/* ---- ports ---- */

static str next_address(struct arena *arena, str address, int step)
{
    str host;
    uint16_t port = 0;

    if (!listen_split(address, &host, &port, NULL) || port == 0)
        return address;
    bool bracket = str_find_char(host, ':') != SIZE_MAX;
    return arena_printf(arena, "%s%.*s%s:%d", bracket ? "[" : "", STR(host), bracket ? "]" : "",
                        port + step);
}

static struct http_server *listen_on(struct server *server, struct http_server_options *options,
                                     str address, struct err *err)
{
    int tries = server->options.next_port ? PORT_TRIES : 1;

    for (int i = 0; i < tries; i++) {
        options->listen = next_address(server->arena, address, i);
        struct http_server *made =
                http_server_new(server->loop, options, web_handle, server->web, err);
        if (made != NULL || err->code != ERR_EXISTS)
            return made;
        if (i + 1 < tries)
            printf("  %.*s is in use, trying the next port\n", STR(options->listen));
    }
    return NULL;
}

static bool read_pem(struct server *server, str path, str *ret, struct err *err)
{
    char *bytes = NULL;
    size_t len = 0;

    if (!cli_read_file(path, LIMIT_CREDENTIAL_BYTES, &bytes, &len, err))
        return false;
    *ret = arena_str(server->arena, str_of(bytes, len));
    secret_wipe(bytes, len);
    mem_free(bytes);
    return true;
}

static bool open_ports(struct server *server, struct err *err)
{
    struct http_server_options options = {0};

    if (server->options.tls_cert.len > 0) {
        if (!read_pem(server, server->options.tls_cert, &options.cert_pem, err) ||
            !read_pem(server, server->options.tls_key, &options.key_pem, err))
            return false;
    } else {
        options.cert_pem = str_from(server->pki.cert_pem);
        options.key_pem = secret_reveal(server->pki.key_pem);
    }
    server->tls = listen_on(server, &options, server->options.listen, err);
    if (server->tls == NULL)
        return false;
    if (server->options.http.len == 0)
        return true;
    options = (struct http_server_options){0};
    server->plain = listen_on(server, &options, server->options.http, err);
    return server->plain != NULL;
}

static void open_web(struct server *server)
{
    server->auth = auth_new(server->loop, server->home);
    if (server->home_server == NULL)
        auth_use_reviews(server->auth);
    if (server->home_server != NULL) {
        apiserver_set_may(server->home_server, web_apiserver_may, server->auth);
        apiserver_set_rules(server->home_server, web_apiserver_rules, server->auth);
    }
    struct web_options options = {
            .loop = server->loop,
            .home = server->home,
            .auth = server->auth,
            .source = server->source,
            .home_server = server->home_server,
            .home_upstream = server->home_upstream,
            .sandbox_server = server->sandbox_server,
            .control_namespace = server->options.control_namespace,
            .kubeconfig_path = server_kubeconfig_path(server),
    };
    server->web = web_new(&options);
    if (server->home_server != NULL)
        apiserver_set_admit(server->home_server, web_admit, server->web);
}

/* ---- the whole ---- */

static bool open_parts(struct server *server, struct err *err)
{
    /* First of all: the zygote must not inherit a secret, a socket or a database. */
    server->renders = render_pool_new(server->loop, NULL, err);
    if (server->renders == NULL)
        return false;
    if (confine_missing() != 0)
        log_warn("server", "%s", confine_missing_text());
    server->orphans = process_adopt_orphans(server->loop);
    server->signals[0] = loop_signal_new(server->loop, SIGTERM, on_signal, server);
    server->signals[1] = loop_signal_new(server->loop, SIGINT, on_signal, server);
    if (!lock_folder(server, err) || !open_certificates(server, err))
        return false;
    server_stage(server, "certificates");
    if (server->options.home.len > 0 ? !open_remote(server, err) : !open_embedded(server, err))
        return false;
    server_stage(server, "home cluster");
    if (server->options.sandbox && !open_sandbox(server, err))
        return false;
    if (server->options.sandbox)
        server_stage(server, "sandbox");
    if (!open_source(server, err))
        return false;
    open_web(server);
    return open_ports(server, err);
}

bool server_open(struct server *server, const struct server_options *options, struct err *err)
{
    *server = (struct server){.options = *options, .lock = -1};
    server->started_ms = clock_mono_ms();
    server->arena = arena_new(16 * LIMIT_MIB);
    server->dir = arena_z(server->arena, options->data_dir);
    signal(SIGPIPE, SIG_IGN);
    server->loop = loop_new();
    return open_parts(server, err);
}

bool server_run(struct server *server, struct err *err)
{
    server_start(server);
    loop_run(server->loop);
    if (server->failed)
        *err = server->err;
    return !server->failed;
}

/* The loop turns on for a moment, so that cancelled children are reaped and answers go out. */
static void drain(struct server *server)
{
    bool never = false;

    for (int i = 0; i < 40 && process_count() > 0; i++)
        (void)loop_run_until(server->loop, &never, 50);
}

void server_close(struct server *server)
{
    kube_cancel(server->call);
    http_server_free(server->tls);
    http_server_free(server->plain);
    if (server->home_server != NULL)
        apiserver_set_admit(server->home_server, NULL, NULL);
    web_free(server->web);
    engine_free(server->engine);
    auth_free(server->auth);
    upstream_free(server->home_upstream);
    if (server->source != NULL)
        source_free(server->source);
    if (server->home != NULL)
        kube_free(server->home);
    sandbox_free(server->sandbox_life);
    if (server->sandbox != NULL)
        kube_free(server->sandbox);
    if (server->home_server != NULL)
        apiserver_free(server->home_server);
    if (server->sandbox_server != NULL)
        apiserver_free(server->sandbox_server);
    if (server->renders != NULL)
        render_pool_free(server->renders);
    drain(server);
    loop_timer_free(server->token_timer);
    secret_free(server->token);
    for (size_t i = 0; i < COUNT(server->signals); i++)
        loop_watch_free(server->signals[i]);
    loop_watch_free(server->orphans);
    loop_free(server->loop);
    pki_done(&server->pki);
    fd_close(&server->lock);
    arena_free(server->arena);
}
