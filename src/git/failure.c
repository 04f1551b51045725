/* SPDX-License-Identifier: Apache-2.0 */
#include "git/failure.h"

#include "base/buf.h"

enum who { ANYBODY, WITH_SECRET, WITHOUT_SECRET, WITH_PASSPHRASE, WITHOUT_PASSPHRASE };

/* %h host, %r ref, %k "TYPE FINGERPRINT" of the server's host key, %w git's own words, %u URL. The
 * first row that fits decides, so the narrow ones stand first. Patterns are lower case. */
static const struct {
    const char *pattern;
    enum who who;
    enum err_code code;
    const char *sentence;
} rows[] = {
        {"has changed and you have requested strict", ANYBODY, ERR_FORBIDDEN,
         "the host key of %h is not the known one, it is now %k: somebody may be in between; if "
         "the change is wanted, replace the key in the known hosts"},
        {"remote host identification has changed", ANYBODY, ERR_FORBIDDEN,
         "the host key of %h is not the known one, it is now %k: somebody may be in between; if "
         "the change is wanted, replace the key in the known hosts"},
        {"host key is known for", ANYBODY, ERR_FORBIDDEN,
         "the host key of %h is not known: %k; compare it with what the operator of the host "
         "publishes, and accept it"},
        {"host key verification failed", ANYBODY, ERR_FORBIDDEN,
         "the host key of %h is not known: %k; compare it with what the operator of the host "
         "publishes, and accept it"},
        {"incorrect passphrase", WITH_PASSPHRASE, ERR_UNAUTHORIZED,
         "the passphrase of the credential is not that of its SSH key"},
        {"incorrect passphrase", WITHOUT_PASSPHRASE, ERR_UNAUTHORIZED,
         "the SSH key is protected by a passphrase, which the credential does not hold"},
        {"error in libcrypto", WITH_SECRET, ERR_INVALID,
         "the SSH key cannot be read: it is not a "
         "private key in OpenSSH or PEM form"},
        {"invalid format", WITH_SECRET, ERR_INVALID,
         "the SSH key cannot be read: it is not a "
         "private key in OpenSSH or PEM form"},
        {"permission denied (", WITH_SECRET, ERR_UNAUTHORIZED, "%h refused the SSH key"},
        {"permission denied (", WITHOUT_SECRET, ERR_UNAUTHORIZED,
         "%h asks for an SSH key: the repository is private and has no credential"},
        {"authentication failed", WITH_SECRET, ERR_UNAUTHORIZED,
         "authentication failed: %h refused the credential"},
        {"could not read username", WITH_SECRET, ERR_UNAUTHORIZED,
         "authentication failed: %h refused the credential"},
        {"could not read password", WITH_SECRET, ERR_UNAUTHORIZED,
         "authentication failed: %h refused the credential"},
        {"terminal prompts disabled", WITH_SECRET, ERR_UNAUTHORIZED,
         "authentication failed: %h refused the credential"},
        {"could not read username", WITHOUT_SECRET, ERR_UNAUTHORIZED,
         "authentication failed: %h asks for a credential, so the repository is private or does "
         "not exist"},
        {"could not read password", WITHOUT_SECRET, ERR_UNAUTHORIZED,
         "authentication failed: %h asks for a password or token"},
        {"authentication failed", WITHOUT_SECRET, ERR_UNAUTHORIZED,
         "authentication failed: %h asks for a credential"},
        {"returned error: 401", ANYBODY, ERR_UNAUTHORIZED,
         "authentication failed: %h refused the credential"},
        {"returned error: 403", ANYBODY, ERR_FORBIDDEN,
         "%h does not allow this credential to read the repository"},
        {"returned error: 404", ANYBODY, ERR_NOT_FOUND,
         "the repository does not exist on %h, or this credential may not read it"},
        {"returned error: 429", ANYBODY, ERR_TOO_MANY, "%h asks to be asked less often"},
        {"returned error: 5", ANYBODY, ERR_UNAVAILABLE, "%h has trouble: %w"},
        {"could not resolve host", ANYBODY, ERR_UNAVAILABLE, "the host %h cannot be found"},
        {"name or service not known", ANYBODY, ERR_UNAVAILABLE, "the host %h cannot be found"},
        {"repository not found", ANYBODY, ERR_NOT_FOUND,
         "the repository does not exist on %h, or this credential may not read it"},
        {"not found", ANYBODY, ERR_NOT_FOUND,
         "the repository does not exist on %h, or this credential may not read it"},
        {"does not appear to be a git repository", ANYBODY, ERR_NOT_FOUND,
         "there is no Git repository at %u"},
        {"dubious ownership", ANYBODY, ERR_FORBIDDEN,
         "the repository belongs to another user of this machine"},
        {"couldn't find remote ref", ANYBODY, ERR_NOT_FOUND, "'%r' does not exist"},
        {"not our ref", ANYBODY, ERR_NOT_FOUND,
         "the commit %r does not exist, or the server gives out no commits that no branch or tag "
         "names"},
        {"unadvertised object", ANYBODY, ERR_NOT_FOUND,
         "the commit %r does not exist, or the server gives out no commits that no branch or tag "
         "names"},
        {"temporary failure in name resolution", ANYBODY, ERR_UNAVAILABLE,
         "the host %h cannot be looked up at present"},
        {"certificate has expired", ANYBODY, ERR_FORBIDDEN,
         "the TLS certificate of %h has expired"},
        {"ssl certificate problem", ANYBODY, ERR_FORBIDDEN,
         "the TLS certificate of %h is not trusted: %w"},
        {"server certificate verification failed", ANYBODY, ERR_FORBIDDEN,
         "the TLS certificate of %h is not trusted: %w"},
        {"certificate", ANYBODY, ERR_FORBIDDEN, "the TLS certificate of %h is not trusted: %w"},
        {"connection refused", ANYBODY, ERR_UNAVAILABLE, "%h refuses connections"},
        {"couldn't connect to server", ANYBODY, ERR_UNAVAILABLE, "%h cannot be reached"},
        {"failed to connect", ANYBODY, ERR_UNAVAILABLE, "%h cannot be reached"},
        {"timed out", ANYBODY, ERR_UNAVAILABLE, "%h does not answer"},
        {"operation too slow", ANYBODY, ERR_UNAVAILABLE, "%h answers too slowly"},
        {"no route to host", ANYBODY, ERR_UNAVAILABLE, "%h cannot be reached"},
        {"network is unreachable", ANYBODY, ERR_UNAVAILABLE, "%h cannot be reached"},
        {"file size limit", ANYBODY, ERR_LIMIT,
         "the repository is larger than the limit of a "
         "fetch"},
        {"no space left", ANYBODY, ERR_IO, "the disk of the data folder is full"},
        {"fsck error", ANYBODY, ERR_INVALID,
         "the repository holds an object that is not sound, and was refused: %w"},
        {"fatal: error in object", ANYBODY, ERR_INVALID,
         "the repository holds an object that is not sound, and was refused: %w"},
        {"remote end hung up", ANYBODY, ERR_UNAVAILABLE, "%h closed the connection: %w"},
};

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

static bool contains(str words, const char *pattern)
{
    size_t len = strlen(pattern);

    for (size_t i = 0; i + len <= words.len; i++) {
        size_t k = 0;
        while (k < len && lower(words.at[i + k]) == pattern[k])
            k++;
        if (k == len)
            return true;
    }
    return false;
}

bool failure_is_redirect(str words)
{
    return contains(words, "returned error: 301") || contains(words, "returned error: 302") ||
           contains(words, "returned error: 303") || contains(words, "returned error: 307") ||
           contains(words, "returned error: 308") ||
           contains(words, "unable to update url base from redirection");
}

bool failure_is_not_our_ref(str words)
{
    return contains(words, "not our ref") || contains(words, "unadvertised object");
}

/* Without ssh's debug lines, and in lines that a terminal may show. */
static str readable(struct arena *arena, str words)
{
    char *out = arena_bytes(arena, words.len + 1);
    size_t len = 0;
    str rest = words;
    str line;

    while (str_split(&rest, '\n', &line)) {
        if (str_starts(line, S("debug1:")) || str_starts(line, S("OpenSSH_")) ||
            str_starts(line, S("Authenticated to")) || str_starts(line, S("Transferred:")) ||
            str_starts(line, S("Bytes per second:")))
            continue;
        for (size_t i = 0; i < line.len; i++)
            out[len++] = (char)((unsigned char)line.at[i] < ' ' ? ' ' : line.at[i]);
        out[len++] = '\n';
    }
    return str_of(out, MIN(len, words.len));
}

/* The line that tells most: the last "fatal:", "ERROR:" or "remote:", else the last one. */
static str best_line(str words)
{
    static const str leads[] = {S_INIT("fatal: "), S_INIT("remote: ERROR: "), S_INIT("ERROR: "),
                                S_INIT("remote: "), S_INIT("error: ")};
    str rest = words;
    str line;
    str best = S("git failed without a word");
    size_t rank = COUNT(leads) + 1;

    while (str_split(&rest, '\n', &line)) {
        str text = str_trim(line);
        size_t own = 0;
        while (own < COUNT(leads) && !str_skip(&text, leads[own]))
            own++;
        if (str_is_empty(text) || own > rank ||
            (own < COUNT(leads) && contains(text, "could not read from remote repository")))
            continue;
        best = text;
        rank = own;
    }
    return str_first(best, 400);
}

/* ssh -v says "debug1: Server host key: ssh-ed25519 SHA256:…". */
static str host_key(str words)
{
    str lead = S("Server host key: ");
    size_t at = str_find(words, lead);

    if (at == SIZE_MAX)
        return S("its fingerprint could not be learnt");
    str line = str_from_index(words, at + lead.len);
    size_t end = str_find_char(line, '\n');
    return str_trim(end == SIZE_MAX ? line : str_first(line, end));
}

static str host_of(struct arena *arena, const struct git_url *url)
{
    if (str_is_empty(url->host))
        return S("this machine");
    if (str_is_empty(url->port))
        return url->host;
    return arena_printf(arena, "%.*s:%.*s", STR(url->host), STR(url->port));
}

static str fill_in(struct arena *arena, const char *sentence, const struct failure *f, str words)
{
    auto_buf struct buf out = {0};

    buf_init(&out, LIMIT_ERR_MESSAGE);
    for (const char *c = sentence; *c != '\0'; c++) {
        if (*c != '%') {
            buf_addc(&out, *c);
            continue;
        }
        switch (*++c) {
        case 'h':
            buf_add(&out, host_of(arena, f->url));
            break;
        case 'r':
            buf_add(&out, f->ref);
            break;
        case 'k':
            buf_add(&out, host_key(f->words));
            break;
        case 'u':
            buf_add(&out, f->url->remote);
            break;
        default:
            buf_add(&out, best_line(words));
            break;
        }
    }
    return arena_str(arena, buf_str(&out));
}

/* ssh does not say that it could not open the key: the server would have taken it, or a passphrase
 * was asked for, and yet nobody signed in. */
static bool key_stayed_locked(str words)
{
    str asked = S("read_passphrase: requested to askpass");
    size_t at = str_find(words, asked);

    if (!contains(words, "permission denied ("))
        return false;
    if (at == SIZE_MAX)
        return contains(words, "server accepts key:");
    return !contains(str_from_index(words, at), "authentications that can continue");
}

static bool is_about(enum who who, const struct failure *failure)
{
    bool has_secret = failure->url->scheme == GIT_SSH ? failure->has_key : failure->has_auth;

    switch (who) {
    case ANYBODY:
        break;
    case WITH_SECRET:
        return has_secret;
    case WITHOUT_SECRET:
        return !has_secret;
    case WITH_PASSPHRASE:
        return failure->has_passphrase;
    case WITHOUT_PASSPHRASE:
        return !failure->has_passphrase;
    }
    return true;
}

bool failure_set(struct arena *arena, const struct failure *failure, struct err *err)
{
    str words = readable(arena, failure->words);

    if (key_stayed_locked(failure->words))
        words = arena_join(arena, S("incorrect passphrase\n"), words);

    for (size_t i = 0; i < COUNT(rows); i++) {
        if (!is_about(rows[i].who, failure) || !contains(words, rows[i].pattern))
            continue;
        str sentence = fill_in(arena, rows[i].sentence, failure, words);
        return err_set(err, rows[i].code, "%.*s", STR(sentence));
    }
    return err_set(err, ERR_UNAVAILABLE, "git: %.*s", STR(best_line(words)));
}
