/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a fetch process asks over http itself: where a redirect leads, and a single file (a remote
 * resource of a Kustomization). Redirects are followed by us, within one scheme; the credential
 * stays with its host; every host is looked up and pinned before it is talked to.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "doc/hash.h"
#include "git/cache.h"
#include "git/fetch_role.h"

#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

enum { FILES_KEPT = 4, ASK_S = 20, CACHE_NAME = 64 };

/* ---- one request ---- */

struct get {
    str url;
    struct buf *body; /* NULL = not wanted */
    long timeout_s;
    /* filled */
    long status;
    str location; /* of a redirect, absolute */
};

static size_t take(char *at, size_t size, size_t count, void *owner)
{
    struct buf *body = owner;

    if (body == NULL)
        return size * count;
    buf_add(body, str_of(at, size * count));
    return buf_is_over(body) ? 0 : size * count;
}

static struct curl_slist *list_add(struct curl_slist *list, struct arena *arena, str text)
{
    return str_is_empty(text) ? list : curl_slist_append(list, arena_z(arena, text));
}

static void get_secure(CURL *curl, const struct fetch *f)
{
    struct curl_blob ca = {(void *)(uintptr_t)f->request.ca_bundle.at, f->request.ca_bundle.len,
                           CURL_BLOB_NOCOPY};

    if (ca.len > 0)
        curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &ca);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, f->request.insecure ? 0L : 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, f->request.insecure ? 0L : 2L);
}

static bool get_run(struct fetch *f, struct get *get, struct err *err)
{
    struct arena *arena = f->arena;
    struct curl_slist *headers = list_add(NULL, arena, fetch_authorization(f));
    str pin = arena_printf(arena, "%.*s:%.*s:%.*s", STR(fetch_bracketed(arena, f->url.host)),
                           STR(git_url_port(&f->url)), STR(fetch_bracketed(arena, f->address)));
    struct curl_slist *pins = list_add(NULL, arena, pin);
    char *location = NULL;
    CURL *curl = curl_easy_init();

    curl_easy_setopt(curl, CURLOPT_URL, arena_z(arena, get->url));
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_RESOLVE, pins);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, get->body);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, get->timeout_s);
    if (get->body == NULL)
        curl_easy_setopt(curl, CURLOPT_MAXFILESIZE, 1000000L);
    get_secure(curl, f);

    CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK) {
        curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &location);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &get->status);
    }
    get->location = location == NULL ? STR_EMPTY : arena_str(arena, str_from(location));
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    curl_slist_free_all(pins);
    if (get->body != NULL && buf_is_over(get->body))
        return err_set(err, ERR_LIMIT, "'%.*s' has more than %zu MiB, the limit of one file",
                       STR(get->url), LIMIT_FILE_BYTES / LIMIT_MIB);
    return code == CURLE_OK ||
           err_set(err, ERR_UNAVAILABLE, "%.*s: %s", STR(f->url.host), curl_easy_strerror(code));
}

/* ---- redirects ---- */

static bool go_to(struct fetch *f, str location, const char *what, struct err *err)
{
    struct git_url next;

    if (!git_url_parse(f->arena, location, &next, err))
        return err_wrap(err, "%.*s redirects", STR(f->url.host));
    if (next.scheme != f->url.scheme)
        return err_set(err, ERR_FORBIDDEN,
                       "%.*s redirects from %s to %s: write '%.*s' as the URL of the %s",
                       STR(f->url.host), git_scheme_name(f->url.scheme),
                       git_scheme_name(next.scheme), STR(next.remote), what);
    if (!str_eq(next.host, f->url.host) || !str_eq(git_url_port(&next), git_url_port(&f->url)))
        f->has_left = true;
    f->url = next;
    return true;
}

bool fetch_follow(struct fetch *f, struct err *err)
{
    struct get get = {.timeout_s = ASK_S};

    get.url = arena_printf(f->arena, "%.*s%sinfo/refs?service=git-upload-pack", STR(f->url.remote),
                           str_ends(f->url.remote, S("/")) ? "" : "/");
    if (!get_run(f, &get, err))
        return false;
    if (str_is_empty(get.location))
        return err_set(err, ERR_UNAVAILABLE, "%.*s redirects, but not to anywhere",
                       STR(f->url.host));
    if (!str_chop(&get.location, S("/info/refs?service=git-upload-pack")))
        return err_set(err, ERR_UNAVAILABLE, "%.*s redirects to '%.*s', which is no Git repository",
                       STR(f->url.host), STR(get.location));
    return go_to(f, get.location, "repository", err);
}

/* ---- a file ---- */

static bool status_refuse(const struct fetch *f, const struct get *get, struct err *err)
{
    switch (get->status) {
    case 401:
        return err_set(err, ERR_UNAUTHORIZED, "%.*s asks for a credential for '%.*s'",
                       STR(f->url.host), STR(get->url));
    case 403:
        return err_set(err, ERR_FORBIDDEN, "%.*s does not give out '%.*s'", STR(f->url.host),
                       STR(get->url));
    case 404:
    case 410:
        return err_set(err, ERR_NOT_FOUND, "%.*s has no file '%.*s'", STR(f->url.host),
                       STR(get->url));
    default:
        return err_set(err, ERR_UNAVAILABLE, "%.*s answers %ld to '%.*s'", STR(f->url.host),
                       get->status, STR(get->url));
    }
}

static bool download(struct fetch *f, struct buf *body, struct err *err)
{
    int64_t began = clock_mono_ms();

    for (int hops = 0; hops <= LIMIT_GIT_REDIRECTS; hops++) {
        struct get get = {.url = f->url.remote, .body = body, .timeout_s = LIMIT_LIST_MS / 1000};
        buf_reset(body);
        if (!fetch_address(f, err) || !get_run(f, &get, err))
            return false;
        f->git_took_ms = clock_mono_ms() - began;
        if (get.status == 200)
            return true;
        if (get.status < 300 || get.status > 399 || str_is_empty(get.location))
            return status_refuse(f, &get, err);
        if (!go_to(f, get.location, "file", err))
            return false;
    }
    return err_set(err, ERR_UNAVAILABLE, "the file redirects more than %d times",
                   LIMIT_GIT_REDIRECTS);
}

/* <cache>/<id>/file appears whole or not at all. */
static bool keep(const char *cache, const char *id, str bytes, struct err *err)
{
    char fresh[PATH_MAX];

    snprintf(fresh, sizeof(fresh), "%s/new", cache);
    cache_remove(fresh);
    auto_fd int dir = open(cache, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = dir >= 0 && mkdirat(dir, "new", 0700) == 0;
    auto_fd int fd =
            ok ? openat(dir, "new/file", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;

    ok = ok && fd >= 0 && fd_write_all(fd, bytes);
    if (ok && renameat(dir, "new", dir, id) == 0)
        return true;
    if (ok && (errno == EEXIST || errno == ENOTEMPTY)) { /* as it was: of use again */
        cache_remove(fresh);
        return utimensat(dir, id, NULL, 0) == 0 ||
               err_set(err, ERR_IO, "the file cannot be kept: %s", strerror(errno));
    }
    return err_set(err, ERR_IO, "the file cannot be kept: %s", strerror(errno));
}

/* The name of the oldest of more than FILES_KEPT entries. */
static bool oldest(const char *cache, char ret_name[CACHE_NAME])
{
    DIR *stream = opendir(cache);
    size_t count = 0;
    struct timespec least = {0};

    for (struct dirent *e = stream == NULL ? NULL : readdir(stream); e != NULL;
         e = readdir(stream)) {
        struct stat st;
        if (!git_id_is_full(str_from(e->d_name)) ||
            fstatat(dirfd(stream), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (count++ == 0 || st.st_mtim.tv_sec < least.tv_sec ||
            (st.st_mtim.tv_sec == least.tv_sec && st.st_mtim.tv_nsec < least.tv_nsec)) {
            least = st.st_mtim;
            snprintf(ret_name, CACHE_NAME, "%.40s", e->d_name);
        }
    }
    if (stream != NULL)
        closedir(stream);
    return count > FILES_KEPT;
}

bool fetch_file(struct fetch *f, struct transport_result *result, struct err *err)
{
    const char *cache = f->request.cache.at;
    struct transport_ref *ref = arena_array(f->arena, 1, struct transport_ref);
    static struct buf body;
    char hex[HASH_HEX_SIZE];
    char name[CACHE_NAME];

    buf_init(&body, LIMIT_FILE_BYTES);
    if (!fetch_is_http(f))
        return err_set(err, ERR_INVALID, "a remote file is read over http or https only");
    if (!download(f, &body, err))
        return false;

    struct hash hash = hash_bytes(buf_str(&body));
    hash_hex(&hash, hex);
    str id = arena_str(f->arena, str_of(hex, 40));
    if (!keep(cache, id.at, buf_str(&body), err))
        return false;
    while (oldest(cache, name)) {
        char path[PATH_MAX];
        snprintf(path, sizeof(path), "%s/%s", cache, name);
        cache_remove(path);
    }
    *ref = (struct transport_ref){S("HEAD"), id, STR_EMPTY};
    result->refs = ref;
    result->ref_count = 1;
    return true;
}
